#include "storage/message_store.h"

#include <atomic>

#include "base/log.h"
#include "storage/deleted_messages.h"
#include "storage/group_commit.h"
#include "storage/housekeeper.h"
#include "storage/index_builder.h"
#include "storage/log_writer.h"
#include "storage/message_reader.h"
#include "storage/recovery.h"
#include "storage/retention.h"
#include "storage/store_format.h"
#include "storage/store_lock.h"

namespace rmq::storage {

// The parts of a store and how they are wired.
class MessageStore::Impl {
 public:
  Impl(const StoreConfig& config, DelayLevels delays, FileSystem& files, Clock& clock)
      : config_(in_whole_entries(config)),
        files_(files),
        clock_(clock),
        layout_(config_),
        log_directories_(files, layout_.commit_logs(), layout_.read_only_commit_logs()),
        cache_(files, static_cast<std::size_t>(config_.open_files_max)),
        log_(cache_, log_directories_, config_.commit_log_segment_bytes),
        queues_(cache_, layout_, config_.consume_queue_file_bytes),
        delays_(delays),
        maker_(queues_, std::move(delays)),
        reader_(log_, appended_, config_, MessageReader::memory_bytes_of(config_)),
        dispatcher_(log_, queues_, maker_, dispatched_),
        index_(files, layout_.index(), {config.index_slots_per_file, config.index_entries_per_file},
               clock),
        builder_(log_, index_),
        writer_(log_, appended_, clock),
        group_commit_(log_, appended_, flushed_) {}

  ~Impl() {
    if (retention_) retention_->stop();
    if (housekeeper_) housekeeper_->stop();
    group_commit_.stop(GroupCommit::Final::None);
    dispatcher_.stop(Dispatcher::Drain::No);
    builder_.stop();
  }

  Result<> open();
  Result<> open_index();
  Result<> ensure_note();
  Result<> delete_messages(std::string_view topic, PhysicalOffset end);
  Result<> hide_deleted();
  void start();
  void stop();
  void fail_store(const Error& why);
  LogWriter::Hooks writer_hooks();
  Dispatcher::Hooks dispatcher_hooks();
  Retention::Hooks retention_hooks();
  void disk_is_full(const Error& why);

  bool sync_flush() const { return config_.flush_disk_type == FlushDiskType::Sync; }
  PhysicalOffset visible_limit() const {
    return PhysicalOffset{sync_flush() ? flushed_.value().value : appended_.value().value};
  }

  const StoreConfig config_;
  FileSystem& files_;
  Clock& clock_;
  const Layout layout_;
  std::optional<StoreLock> lock_;  // first taken, last released

  LogDirectories log_directories_;
  FileCache cache_;
  CommitLog log_;
  ConsumeQueueSet queues_;
  const DelayLevels delays_;
  const EntryMaker maker_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<LogMarkFile> marks_;
  Dispatcher::Progress recovered_;
  Mutex deleted_mutex_;
  std::optional<DeletedMessages> deleted_ RMQ_GUARDED_BY(deleted_mutex_);

  Watermark<AppendedOffset> appended_;
  Watermark<FlushedOffset> flushed_;
  Watermark<DispatchedOffset> dispatched_;

  MessageReader reader_;
  Dispatcher dispatcher_;
  MessageIndex index_;
  IndexBuilder builder_;
  LogWriter writer_;
  GroupCommit group_commit_;
  std::optional<Housekeeper> housekeeper_;
  std::optional<Retention> retention_;

  std::function<void(std::span<const Arrival>)> on_arrival_;
  std::function<void(const Error&)> on_fatal_;
  std::atomic<bool> failed_{false};
  bool stopped_ = false;
};

Result<> MessageStore::Impl::open() {
  RMQ_CHECK(log_directories_.check());
  // First, because the lock leaves its mark.
  RMQ_CHECK(check_store_format(files_, layout_));
  RMQ_TRY(lock_, StoreLock::acquire(files_, layout_));
  RMQ_TRY(checkpoint_, Checkpoint::open(files_, layout_.checkpoint()));
  RMQ_TRY(marks_, LogMarkFile::open(files_, layout_.log_mark()));
  RMQ_CHECK(log_.load());
  Recovery recovery(log_, queues_, maker_, checkpoint_->values(),
                    marks_->find(checkpoint_->values()));
  RMQ_CHECK(queues_.load(recovery.search(lock_->unclean())));
  RMQ_TRY(recovered_, recovery.run(lock_->unclean()));
  const std::int64_t end = recovered_.position.value;
  appended_.advance(AppendedOffset{end});
  flushed_.advance(FlushedOffset{end});
  dispatched_.advance(DispatchedOffset{end});
  RMQ_CHECK(hide_deleted());
  reader_.mapped_from(recovered_.position);
  if (config_.message_index_enable) RMQ_CHECK(open_index());
  housekeeper_.emplace(Housekeeper::Parts{log_, queues_, dispatcher_, group_commit_, flushed_,
                                          *checkpoint_, *marks_, config_.hot_log_bytes,
                                          config_.message_index_enable ? &builder_ : nullptr});
  RMQ_CHECK(ensure_note());
  retention_.emplace(Retention::Parts{config_, files_, clock_, layout_.root(), log_, queues_,
                                      config_.message_index_enable ? &index_ : nullptr});
  log::info("store", "open", kv("root", layout_.root()), kv("stopped", !lock_->unclean()),
            kv("begin", log_.begin().value), kv("end", end));
  return {};
}

// Without a note of the index nothing would say, after a crash, how far it is of this log and not
// of what the log has lost.
Result<> MessageStore::Impl::ensure_note() {
  const auto mark = marks_->find(checkpoint_->values());
  const bool noted = mark && fits(*mark, log_) && (mark->index || !config_.message_index_enable);
  if (noted) return {};
  Result<> written = queues_.sync();
  if (written) written = housekeeper_->note(recovered_, false);
  if (written || !is_disk_full(written.error())) return written;
  log::warn("store", "full disk: no note of what is on it, until there is room");
  return {};
}

Result<> MessageStore::Impl::open_index() {
  IndexSituation situation;
  situation.clean = !lock_->unclean();
  if (const auto mark = marks_->find(checkpoint_->values()); mark && fits(*mark, log_)) {
    situation.mark = mark->index;
    // Without a mark of the index it was switched off, or given up: as it is, it may be torn.
    situation.clean = mark->clean && mark->index && !lock_->unclean();
  }
  situation.log_begin = log_.begin();
  situation.log_end = recovered_.position;
  RMQ_CHECK(index_.open(situation));
  return builder_.open(recovered_.position);
}

Result<> MessageStore::Impl::hide_deleted() {
  MutexLock lock(deleted_mutex_);
  RMQ_TRY(deleted_, DeletedMessages::load(files_, layout_.deleted_messages()));
  if (deleted_->clamp(recovered_.position)) RMQ_CHECK(deleted_->save());
  for (const auto& [topic, end] : deleted_->ends()) {
    for (StoredQueue* queue : queues_.of_topic(topic)) RMQ_CHECK(queue->entries.hide_before(end));
  }
  return {};
}

Result<> MessageStore::Impl::delete_messages(std::string_view topic, PhysicalOffset end) {
  RMQ_ASSERT(dispatched_.value().value >= end.value);
  MutexLock lock(deleted_mutex_);
  deleted_->note(std::string(topic), end);
  RMQ_CHECK(deleted_->save());
  for (StoredQueue* queue : queues_.of_topic(topic)) RMQ_CHECK(queue->entries.hide_before(end));
  return {};
}

LogWriter::Hooks MessageStore::Impl::writer_hooks() {
  LogWriter::Hooks hooks;
  hooks.hand_over = [this](std::span<const DispatchEntry> entries) {
    dispatcher_.hand_over(entries);
  };
  hooks.on_appended = [this] {
    if (sync_flush()) {
      group_commit_.request_flush();
    } else {
      dispatcher_.wake();
    }
  };
  hooks.on_left_over = [this] { dispatcher_.wake(); };
  hooks.on_half_full = [this] { housekeeper_->want_segment(); };
  hooks.on_disk_full = [this](const Error& why) { disk_is_full(why); };
  hooks.on_error = [this](const Error& why) { fail_store(why); };
  return hooks;
}

Retention::Hooks MessageStore::Impl::retention_hooks() {
  Retention::Hooks hooks;
  // A queue whose messages are all gone has only its files to say how far it has counted.
  hooks.limit = [this] { return housekeeper_->noted(); };
  hooks.on_full = [this](const Error& why) { writer_.pause(why); };
  hooks.on_room = [this] { writer_.resume(); };
  return hooks;
}

// A file could not be made or lengthened.
void MessageStore::Impl::disk_is_full(const Error& why) {
  writer_.pause({make_error_code(StoreErrc::DiskFull), why.message()});
  retention_->disk_was_full();
}

Dispatcher::Hooks MessageStore::Impl::dispatcher_hooks() {
  Dispatcher::Hooks hooks;
  hooks.limit = [this] { return visible_limit(); };
  hooks.on_arrival = on_arrival_;
  if (config_.message_index_enable) {
    hooks.on_dispatched = [this](std::span<const DispatchEntry> entries, PhysicalOffset end) {
      builder_.follow(entries, end);
    };
  }
  hooks.on_disk_full = [this](const Error& why) { disk_is_full(why); };
  hooks.on_error = [this](const Error& why) { fail_store(why); };
  hooks.help = [this] { writer_.help(); };
  return hooks;
}

void MessageStore::Impl::start() {
  const auto fail_with = [this](const Error& why) { fail_store(why); };
  if (config_.message_index_enable) builder_.start();
  dispatcher_.start(recovered_, dispatcher_hooks());
  GroupCommit::Hooks commit_hooks;
  commit_hooks.last_store_timestamp_ms = [this] { return writer_.last_store_timestamp_ms(); };
  commit_hooks.on_flushed = [this] {
    if (sync_flush()) dispatcher_.wake();
  };
  commit_hooks.on_error = fail_with;
  group_commit_.start(config_.flush_interval, recovered_.last_store_timestamp_ms,
                      std::move(commit_hooks));
  housekeeper_->start(config_.flush_consume_queue_interval,
                      {[this](const Error& why) { disk_is_full(why); }, fail_with});
  writer_.start(recovered_.position, recovered_.last_store_timestamp_ms, writer_hooks());
  retention_->start(retention_hooks());
}

void MessageStore::Impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  retention_->stop();
  writer_.stop();
  group_commit_.stop(failed_ ? GroupCommit::Final::None : GroupCommit::Final::Flush);
  dispatcher_.stop(failed_ ? Dispatcher::Drain::No : Dispatcher::Drain::Yes);
  builder_.stop();
  housekeeper_->stop();
  if (failed_) return;  // `abort` stays
  if (dispatcher_.progress().position < visible_limit()) {
    log::warn("store", "stopped with messages that are not in queues: the disk is full",
              kv("from", dispatcher_.progress().position.value));
    return;  // likewise: the next start puts them there
  }
  Result<> done = queues_.sync();
  if (!done && is_disk_full(done.error())) {
    log::warn("store", "stopped with messages that are not in queues: the disk is full",
              kv("error", done.error().message()));
    return;
  }
  if (done) done = housekeeper_->note(dispatcher_.progress(), true);
  if (done) done = lock_->mark_clean(files_, layout_);
  if (!done && is_disk_full(done.error())) {
    return log::warn("store", "full disk: no note of this stop, the next start reads the log");
  }
  if (!done) return fail_store(done.error());
  log::info("store", "stopped", kv("end", appended_.value().value));
}

// Any thread, outside every lock. The first reason counts.
void MessageStore::Impl::fail_store(const Error& reason) {
  if (failed_.exchange(true)) return;
  const Error why = reason.code == StoreErrc::ReadOnly
                        ? reason
                        : Error{make_error_code(StoreErrc::ReadOnly), reason.message()};
  log::error("store", "no more writes", kv("error", reason.message()));
  writer_.fail_all(why);
  appended_.close(why);
  flushed_.close(why);
  dispatched_.close(why);
  builder_.indexed().close(why);
  if (on_fatal_) on_fatal_(why);
}

MessageStore::MessageStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageStore::~MessageStore() = default;

Result<std::unique_ptr<MessageStore>> MessageStore::open(const StoreConfig& config,
                                                         FileSystem& files, Clock& clock) {
  RMQ_CHECK(check_file_lengths(config));
  RMQ_TRY(DelayLevels delays, DelayLevels::parse(config.message_delay_level));
  auto impl = std::make_unique<Impl>(config, std::move(delays), files, clock);
  RMQ_CHECK(impl->open());
  return std::unique_ptr<MessageStore>(new MessageStore(std::move(impl)));
}

Result<> MessageStore::start() {
  impl_->start();
  return {};
}
void MessageStore::stop() { impl_->stop(); }

Queue& MessageStore::queue(std::string_view topic, QueueId queue_id) {
  return impl_->queues_.get(topic, queue_id);
}

void MessageStore::append(std::unique_ptr<AppendBatch> batch, AppendDone done) {
  impl_->writer_.append(std::move(batch), std::move(done));
}

const Watermark<AppendedOffset>& MessageStore::appended() const { return impl_->appended_; }
Watermark<FlushedOffset>& MessageStore::flushed() { return impl_->flushed_; }
Watermark<DispatchedOffset>& MessageStore::dispatched() { return impl_->dispatched_; }
Watermark<IndexedOffset>& MessageStore::indexed() { return impl_->builder_.indexed(); }
void MessageStore::request_flush() { impl_->group_commit_.request_flush(); }

Result<ReadResult> MessageStore::read(const ReadRequest& request) const {
  return impl_->reader_.read(impl_->queues_.find(request.topic, request.queue_id), request);
}

Result<RecordSpan> MessageStore::record_at(PhysicalOffset at) const {
  return impl_->reader_.record_at(at);
}

Result<std::size_t> MessageStore::read_entries(Queue& queue, QueueOffset from,
                                               std::span<ConsumeQueueEntry> into) const {
  Bytes bytes(into.size() * kEntryBytes);
  RMQ_TRY(const std::size_t count, StoredQueue::of(queue).entries.read(from, bytes));
  for (std::size_t i = 0; i < count; ++i) into[i] = decode_entry(bytes.data() + i * kEntryBytes);
  return count;
}

Result<> MessageStore::scan(
    PhysicalOffset from, const std::function<void(const protocol::MessageRecord&)>& visit) const {
  return impl_->reader_.scan(from, visit);
}

PhysicalOffset MessageStore::segment_begin(PhysicalOffset at) const {
  const std::int64_t bytes = impl_->config_.commit_log_segment_bytes;
  return PhysicalOffset{at.value / bytes * bytes};
}

const DelayLevels& MessageStore::delay_levels() const { return impl_->delays_; }

Result<QueryResult> MessageStore::query(const QueryRequest& request) const {
  if (!impl_->config_.message_index_enable) return QueryResult();
  return query_messages(impl_->index_, impl_->reader_, request);
}

Result<> MessageStore::delete_messages(std::string_view topic, PhysicalOffset end) {
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

void MessageStore::on_arrival(std::function<void(std::span<const Arrival>)> listener) {
  impl_->on_arrival_ = std::move(listener);
}

void MessageStore::on_fatal(std::function<void(const Error&)> listener) {
  impl_->on_fatal_ = std::move(listener);
}

}  // namespace rmq::storage
