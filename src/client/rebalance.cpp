#include "client/rebalance.h"

#include <algorithm>

namespace rmq::client {

std::vector<MessageQueue> allocate_averagely(std::vector<MessageQueue> queues,
                                             std::vector<std::string> client_ids,
                                             const std::string& own) {
  std::sort(queues.begin(), queues.end());
  std::sort(client_ids.begin(), client_ids.end());
  const auto self = std::find(client_ids.begin(), client_ids.end(), own);
  if (self == client_ids.end()) return {};
  const auto index = static_cast<std::size_t>(self - client_ids.begin());
  const std::size_t share = queues.size() / client_ids.size();
  const std::size_t rest = queues.size() % client_ids.size();
  const std::size_t begin = std::min(index * share + std::min(index, rest), queues.size());
  const std::size_t end = begin + share + (index < rest ? 1 : 0);
  return {queues.begin() + static_cast<std::ptrdiff_t>(begin),
          queues.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace rmq::client
