// QueueShare: which of the queues one connection of a load sends to, in turn.
// Threads: a value.
#pragma once

#include <algorithm>
#include <cstddef>

namespace rmq::load {

struct QueueShare {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t first = 0;  // that it begins with
};

// Of connection `number` of `connections` to a broker with so many `queues`, neither of them 0. All
// connections send to all queues, and begin with different ones; each of very many queues belongs
// to one connection, as far as there are enough.
inline QueueShare share_of_queues(std::size_t queues, std::size_t connections, std::size_t number) {
  constexpr std::size_t kSharedMax = 1024;
  if (queues <= kSharedMax) return {0, queues, number % queues};
  const std::size_t shares = std::min(connections, queues);
  const std::size_t own = number % shares;
  const std::size_t begin = queues * own / shares;
  return {begin, queues * (own + 1) / shares, begin};
}

}  // namespace rmq::load
