#include "storage/message_store.h"

#include "storage/message_query.h"
#include "storage/message_store_impl.h"

namespace rmq::storage {

MessageStore::MessageStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageStore::~MessageStore() = default;

Result<std::unique_ptr<MessageStore>> MessageStore::open(const StoreConfig& config,
                                                         FileSystem& files, Clock& clock,
                                                         ProgressListener on_progress) {
  RMQ_CHECK(check_file_lengths(config));
  RMQ_TRY(DelayLevels delays, DelayLevels::parse(config.message_delay_level));
  auto impl = std::make_unique<Impl>(config, std::move(delays), files, clock);
  RMQ_CHECK(impl->open(std::move(on_progress)));
  return std::unique_ptr<MessageStore>(new MessageStore(std::move(impl)));
}

Result<> MessageStore::start(Reign reign) {
  impl_->start(reign);
  return {};
}
void MessageStore::stop() { impl_->stop(); }

void MessageStore::end_reign(const Error& why) { impl_->end_reign(why); }
Result<> MessageStore::begin_reign(Reign reign, std::optional<PhysicalOffset> cut,
                                   std::optional<ConfirmedOffset> confirmed) {
  return impl_->begin_reign(reign, cut, confirmed);
}
std::int64_t MessageStore::reign() const { return impl_->reign_.load(std::memory_order_acquire); }

Queue& MessageStore::queue(std::string_view topic, QueueId queue_id) {
  return impl_->queues_.get(topic, queue_id);
}

void MessageStore::append(std::unique_ptr<AppendBatch> batch, AppendDone done) {
  impl_->writer_.append(std::move(batch), std::move(done));
}

Result<> MessageStore::append_log(PhysicalOffset at, ByteView bytes) {
  return impl_->follower_.append(at, bytes);
}
PhysicalOffset MessageStore::resume_log() { return impl_->follower_.resume(); }
Result<RecordSpan> MessageStore::read_log(PhysicalOffset at, std::size_t max,
                                          MayWait may_wait) const {
  const ReadGate::Visit visit(impl_->gate_);
  if (!visit) return fail(StoreErrc::Truncating);
  return impl_->reader_.read_log(at, max, may_wait);
}
void MessageStore::confirm(ConfirmedOffset end) { impl_->confirm(end); }

Watermark<AppendedOffset>& MessageStore::appended() const { return impl_->appended_; }
Watermark<FlushedOffset>& MessageStore::flushed() { return impl_->flushed_; }
Watermark<DispatchedOffset>& MessageStore::dispatched() { return impl_->dispatched_; }
Watermark<IndexedOffset>& MessageStore::indexed() { return impl_->builder_.indexed(); }
void MessageStore::request_flush() { impl_->group_commit_.request_flush(); }

Result<ReadResult> MessageStore::read(const ReadRequest& request) const {
  const ReadGate::Visit visit(impl_->gate_);
  if (!visit) return fail(StoreErrc::Truncating);
  return impl_->reader_.read(impl_->queues_.find(request.topic, request.queue_id), request);
}

Result<RecordSpan> MessageStore::record_at(PhysicalOffset at) const {
  const ReadGate::Visit visit(impl_->gate_);
  if (!visit) return fail(StoreErrc::Truncating);
  return impl_->reader_.record_at(at);
}

Result<std::size_t> MessageStore::read_entries(Queue& queue, QueueOffset from,
                                               std::span<ConsumeQueueEntry> into) const {
  const ReadGate::Visit visit(impl_->gate_);
  if (!visit) return fail(StoreErrc::Truncating);
  Bytes bytes(into.size() * kEntryBytes);
  RMQ_TRY(const std::size_t count, StoredQueue::of(queue).entries.read(from, bytes));
  for (std::size_t i = 0; i < count; ++i) into[i] = decode_entry(bytes.data() + i * kEntryBytes);
  return count;
}

Result<> MessageStore::scan(
    PhysicalOffset from, const std::function<void(const protocol::MessageRecord&)>& visit) const {
  const ReadGate::Visit inside(impl_->gate_);
  if (!inside) return fail(StoreErrc::Truncating);
  return impl_->reader_.scan(from, visit);
}

PhysicalOffset MessageStore::segment_begin(PhysicalOffset at) const {
  const std::int64_t bytes = impl_->config_.commit_log_segment_bytes;
  return PhysicalOffset{at.value / bytes * bytes};
}

std::int64_t MessageStore::damaged_blocks() const {
  return impl_->scrubber_ ? impl_->scrubber_->damaged() : 0;
}

const DelayLevels& MessageStore::delay_levels() const { return impl_->delays_; }

Result<QueryResult> MessageStore::query(const QueryRequest& request) const {
  const ReadGate::Visit visit(impl_->gate_);
  if (!visit) return fail(StoreErrc::Truncating);
  if (!impl_->config_.message_index_enable) return QueryResult();
  return query_messages(impl_->index_, impl_->reader_, request);
}

Result<> MessageStore::delete_messages(std::string_view topic, PhysicalOffset end) {
  const ReadGate::Visit visit(impl_->gate_);
  if (!visit) return fail(StoreErrc::Truncating);
  return impl_->delete_messages(topic, end);
}

void MessageStore::delete_expired() { impl_->retention_->delete_expired(); }

QueueOffset MessageStore::min_offset(std::string_view topic, QueueId queue_id) const {
  const StoredQueue* queue = impl_->queues_.find(topic, queue_id);
  return queue == nullptr ? QueueOffset{} : queue->entries.begin();
}

QueueOffset MessageStore::visible_end(std::string_view topic, QueueId queue_id) const {
  const StoredQueue* queue = impl_->queues_.find(topic, queue_id);
  return queue == nullptr ? QueueOffset{} : queue->entries.end();
}

PhysicalOffset MessageStore::min_physical() const { return impl_->log_.begin(); }

std::vector<std::pair<std::string, QueueId>> MessageStore::queues() const {
  std::vector<std::pair<std::string, QueueId>> names;
  for (const StoredQueue* queue : impl_->queues_.all()) {
    names.emplace_back(queue->topic(), queue->queue_id());
  }
  return names;
}

std::vector<std::pair<std::string, QueueId>> MessageStore::queues_with_messages() const {
  std::vector<std::pair<std::string, QueueId>> names;
  for (const StoredQueue* queue : impl_->queues_.all()) {
    if (queue->entries.begin() >= queue->next_offset) continue;
    names.emplace_back(queue->topic(), queue->queue_id());
  }
  return names;
}

void MessageStore::on_arrival(std::function<void(std::span<const Arrival>)> listener) {
  impl_->on_arrival_ = std::move(listener);
}

void MessageStore::on_fatal(std::function<void(const Error&)> listener) {
  impl_->on_fatal_ = std::move(listener);
}

}  // namespace rmq::storage
