#include "client/queue_selector.h"

#include <algorithm>
#include <cstdlib>

#include "base/java_compat.h"

namespace rmq::client {

std::optional<MessageQueue> RoundRobin::pick(std::span<const MessageQueue> queues,
                                             std::span<const std::string> left_out) {
  const auto usable = [&](const MessageQueue& queue) {
    return std::find(left_out.begin(), left_out.end(), queue.broker_name) == left_out.end();
  };
  // The n-th usable one, and not the next usable one behind the n-th: that would give the queue
  // behind a broker that is left out that broker's share.
  const auto count =
      static_cast<std::uint64_t>(std::count_if(queues.begin(), queues.end(), usable));
  if (count == 0) return std::nullopt;
  std::uint64_t skip = next_.fetch_add(1, std::memory_order_relaxed) % count;
  for (const MessageQueue& queue : queues) {
    if (usable(queue) && skip-- == 0) return queue;
  }
  return std::nullopt;
}

QueueChooser by_key_hash(std::string key) {
  return [key = std::move(key)](std::span<const MessageQueue> queues) {
    // The remainder first: the absolute value of INT32_MIN does not exist.
    const std::int64_t remainder = java_hash(key) % static_cast<std::int64_t>(queues.size());
    return static_cast<std::size_t>(std::abs(remainder));
  };
}

}  // namespace rmq::client
