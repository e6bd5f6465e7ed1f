// Queue: the handle of one queue of a topic. It lives as long as the store, so that a caller looks
// a queue up once per message and the store never again.
// Threads: any.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.h"

namespace rmq::storage {

// For tables of queues.
inline std::uint64_t queue_hash(std::string_view topic, QueueId queue_id) {
  return XXH3_64bits_withSeed(topic.data(), topic.size(), static_cast<std::uint32_t>(queue_id));
}

class Queue {
 public:
  const std::string& topic() const { return topic_; }
  QueueId queue_id() const { return queue_id_; }

  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

 protected:
  // Made by the store only; what it keeps about a queue is behind the handle (StoredQueue).
  Queue(std::string topic, QueueId queue_id) : topic_(std::move(topic)), queue_id_(queue_id) {}
  ~Queue() = default;

 private:
  const std::string topic_;
  const QueueId queue_id_;
};

}  // namespace rmq::storage
