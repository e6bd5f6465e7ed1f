// Which of a topic's queues the next message goes to.
// Threads: a RoundRobin may be used by all; a QueueChooser must be able to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "client/message_queue.h"

namespace rmq::client {

// Each queue in turn; each gets the same share whichever brokers are left out.
class RoundRobin {
 public:
  // Producers start at different places, so that one message each does not always hit the first
  // queue.
  explicit RoundRobin(std::uint64_t start) : next_(start) {}

  // The next of `queues` whose broker is not in `left_out`; nothing when there is none.
  std::optional<MessageQueue> pick(std::span<const MessageQueue> queues,
                                   std::span<const std::string> left_out);

 private:
  std::atomic<std::uint64_t> next_;
};

// An application's own choice among the queues that take messages now, sorted by broker and number,
// never none of them: an index into them.
using QueueChooser = std::function<std::size_t(std::span<const MessageQueue>)>;

// The queue that Java's producers pick for this key (SelectMessageQueueByHash.java): messages with
// one key stay in order as long as the queues stay the same.
QueueChooser by_key_hash(std::string key);

}  // namespace rmq::client
