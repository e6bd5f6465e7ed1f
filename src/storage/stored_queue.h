// StoredQueue: what the store keeps about one queue, behind the handle that callers hold.
// Threads: next_offset belongs to the writer role, `pending` to the dispatcher.
#pragma once

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

  ConsumeQueue entries;
  // The offset that the next message gets.
  QueueOffset next_offset;
  // Encoded entries that the dispatcher has collected and not yet appended.
  Bytes pending;
};

}  // namespace rmq::storage
