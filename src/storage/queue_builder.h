// QueueBuilder: puts dispatched entries into their consume queues, many at a time: one write per
// queue and call, however they are interleaved.
// An entry goes to exactly its own number. One that is already there is skipped, so that
// dispatching twice is safe; one that would leave a gap is an error, never written elsewhere (Java
// logs that and shifts every later message).
// Threads: one at a time, the one that dispatches.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "storage/consume_queue_set.h"
#include "storage/dispatch_entry.h"

namespace rmq::storage {

class QueueBuilder {
 public:
  explicit QueueBuilder(ConsumeQueueSet& queues) : queues_(queues) {}

  // Writes long tails of before, then appends and publishes. `added` gets those that were not there
  // before, in order. Errors: StoreErrc::Corrupt for a gap; I/O errors. Nothing of the call is then
  // visible, and it may be made again.
  Result<> apply(std::span<const DispatchEntry> entries, std::vector<const DispatchEntry*>& added);
  // How many queues have got their first entry from apply().
  std::int64_t begun() const { return begun_; }
  // How far the ends of all queues together have moved by apply().
  std::int64_t advanced() const { return advanced_; }

 private:
  Result<> collect(const DispatchEntry& entry, std::vector<const DispatchEntry*>& added);
  Bytes& collected_of(StoredQueue& queue);

  ConsumeQueueSet& queues_;
  std::int64_t begun_ = 0;
  std::int64_t advanced_ = 0;
  // Queues that the call at hand has entries for, and the entries, encoded, of each.
  std::vector<StoredQueue*> touched_;
  std::vector<Bytes> collected_;  // at least as many; kept for the next call
};

// Whether `entry` comes too late in its queue: entries before it are missing.
bool leaves_gap(const DispatchEntry& entry);

}  // namespace rmq::storage
