#include "storage/queue_builder.h"

#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

// A queue's entries go to its file when there are so many, or once a second.
constexpr std::size_t kTailBytesMax = 8192;
// So many entries before one is needed its queue is fetched.
constexpr std::size_t kAhead = 4;
// Kept for the next call; what was longer gives the memory back.
constexpr std::size_t kCollectedBytesKept = 4096;

QueueOffset collected_end(const StoredQueue& queue) {
  return queue.entries.written_end() + std::int64_t{queue.collected};
}

// With very many queues none of this is in the processor's caches.
void prefetch(const StoredQueue* queue) {
  if (queue == nullptr) return;
  __builtin_prefetch(queue);
  queue->entries.prefetch();
}

}  // namespace

bool leaves_gap(const DispatchEntry& entry) {
  const StoredQueue& queue = *entry.queue;
  const bool first = !queue.entries.has_entries() && queue.collected == 0;
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
  const bool first = !queue.entries.has_entries() && queue.collected == 0;
  if (!first && entry.queue_offset < collected_end(queue)) return {};
  Bytes& collected = collected_of(queue);
  if (first && entry.queue_offset.value > 0) {
    // append() fills up to here; what follows is collected from here on.
    std::byte bytes[kEntryBytes];
    encode_entry({entry.physical, entry.size, entry.tag_code}, bytes);
    queue.entries.append(entry.queue_offset, bytes);
  } else {
    const std::size_t at = collected.size();
    collected.resize(at + kEntryBytes);
    encode_entry({entry.physical, entry.size, entry.tag_code}, collected.data() + at);
    ++queue.collected;
  }
  added.push_back(&entry);
  return {};
}

Bytes& QueueBuilder::collected_of(StoredQueue& queue) {
  if (queue.collected > 0) return collected_[queue.collected_in];
  queue.collected_in = static_cast<std::uint32_t>(touched_.size());
  touched_.push_back(&queue);
  if (collected_.size() < touched_.size()) collected_.emplace_back();
  return collected_[queue.collected_in];
}

Result<> QueueBuilder::apply(std::span<const DispatchEntry> entries,
                             std::vector<const DispatchEntry*>& added) {
  RMQ_CHECK(queues_.write_long_tails());
  touched_.clear();
  Result<> outcome;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + kAhead < entries.size()) prefetch(entries[i + kAhead].queue);
    const DispatchEntry& entry = entries[i];
    if (entry.queue == nullptr) continue;
    outcome = collect(entry, added);
    if (!outcome) break;
  }
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    Bytes& collected = collected_[i];
    if (outcome && !collected.empty()) {
      touched_[i]->entries.append(touched_[i]->entries.written_end(), collected);
    }
    touched_[i]->collected = 0;
    collected.clear();
    if (collected.capacity() > kCollectedBytesKept) collected.shrink_to_fit();
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
