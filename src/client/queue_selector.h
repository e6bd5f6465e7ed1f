// Which of a topic's queues the next message goes to.
// Threads: a RoundRobin may be used by all.
#pragma once

#include <atomic>
#include <cstdint>
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

}  // namespace rmq::client
