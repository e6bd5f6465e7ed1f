#include "client/queue_selector.h"

#include <algorithm>

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

}  // namespace rmq::client
