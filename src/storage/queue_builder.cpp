#include "storage/queue_builder.h"

#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

// Kept for the next call; a queue that once got more gives the memory back.
// A queue's entries go to its file when there are so many, or once a second.
constexpr std::size_t kTailBytesMax = 8192;
constexpr std::size_t kPendingBytesKept = 4096;

QueueOffset collected_end(const StoredQueue& queue) {
  return queue.entries.written_end() +
         static_cast<std::int64_t>(queue.pending.size() / kEntryBytes);
}

void drop_pending(StoredQueue& queue) {
  queue.pending.clear();
  if (queue.pending.capacity() > kPendingBytesKept) queue.pending.shrink_to_fit();
}

}  // namespace

bool leaves_gap(const DispatchEntry& entry) {
  const StoredQueue& queue = *entry.queue;
  const bool first = !queue.entries.has_entries() && queue.pending.empty();
  return !first && entry.queue_offset > collected_end(queue);
}

Result<> QueueBuilder::collect(const DispatchEntry& entry,
                               std::vector<const DispatchEntry*>& added) {
  StoredQueue& queue = *entry.queue;
  if (leaves_gap(entry)) {
    return fail(StoreErrc::Corrupt, "queue " + queue.topic() + "/" +
                                        std::to_string(queue.queue_id()) + " ends at " +
                                        std::to_string(collected_end(queue).value) +
                                        ", the record at " + std::to_string(entry.physical.value) +
                                        " is number " + std::to_string(entry.queue_offset.value));
  }
  const bool first = !queue.entries.has_entries() && queue.pending.empty();
  if (!first && entry.queue_offset < collected_end(queue)) return {};
  if (queue.pending.empty()) touched_.push_back(&queue);
  if (first && entry.queue_offset.value > 0) {
    // append() fills up to here; what follows is collected from here on.
    std::byte bytes[kEntryBytes];
    encode_entry({entry.physical, entry.size, entry.tag_code}, bytes);
    queue.entries.append(entry.queue_offset, bytes);
  } else {
    const std::size_t at = queue.pending.size();
    queue.pending.resize(at + kEntryBytes);
    encode_entry({entry.physical, entry.size, entry.tag_code}, queue.pending.data() + at);
  }
  added.push_back(&entry);
  return {};
}

Result<> QueueBuilder::apply(std::span<const DispatchEntry> entries,
                             std::vector<const DispatchEntry*>& added) {
  RMQ_CHECK(queues_.write_long_tails());
  touched_.clear();
  Result<> outcome;
  for (const DispatchEntry& entry : entries) {
    if (entry.queue == nullptr) continue;
    outcome = collect(entry, added);
    if (!outcome) break;
  }
  for (StoredQueue* queue : touched_) {
    if (outcome && !queue->pending.empty()) {
      queue->entries.append(queue->entries.written_end(), queue->pending);
    }
    drop_pending(*queue);
  }
  if (!outcome) {
    for (StoredQueue* queue : touched_) queue->entries.take_back(queue->entries.end());
    return outcome;
  }
  queues_.mark_dirty(touched_);
  for (StoredQueue* queue : touched_) {
    if (queue->entries.end().value == 0) ++begun_;
    advanced_ += queue->entries.written_end() - queue->entries.end();
    queue->entries.publish();
    if (queue->entries.tail_bytes() > kTailBytesMax) queues_.want_written(*queue);
  }
  return {};
}

}  // namespace rmq::storage
