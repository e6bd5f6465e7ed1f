// StoredQueue: what the store keeps about one queue, behind the handle that callers hold.
// There may be very many, so it has nothing that a queue at rest does not need.
// Threads: next_offset belongs to the writer role, what is collected to the dispatcher.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "storage/consume_queue.h"
#include "storage/queue.h"

namespace rmq::storage {

class StoredQueue final : public Queue {
 public:
  StoredQueue(std::string topic, QueueId queue_id, FileCache& cache, std::string directory,
              std::int64_t file_bytes)
      : Queue(std::move(topic), queue_id), entries(cache, std::move(directory), file_bytes) {}

  // Every Queue is one.
  static StoredQueue& of(Queue& queue) { return static_cast<StoredQueue&>(queue); }

  // The offset that the next message gets. Beside what a queue is found by: with very many of them
  // each line of memory that a message touches is one that no cache has.
  QueueOffset next_offset;
  // Entries that the dispatcher has collected and not yet appended, and where (QueueBuilder).
  std::uint32_t collected = 0;
  std::uint32_t collected_in = 0;
  bool dirty = false;  // ConsumeQueueSet's, under its mutex
  ConsumeQueue entries;
};

}  // namespace rmq::storage
