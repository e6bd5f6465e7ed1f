#include "load/queue_share.h"

#include <doctest/doctest.h>

#include <vector>

using rmq::load::QueueShare;
using rmq::load::share_of_queues;

TEST_CASE("queue share: few queues belong to all connections, which begin with different ones") {
  for (std::size_t number = 0; number < 5; ++number) {
    const QueueShare share = share_of_queues(3, 5, number);
    CHECK(share.begin == 0);
    CHECK(share.end == 3);
    CHECK(share.first == number % 3);
  }
}

TEST_CASE("queue share: each of very many queues belongs to a connection, and none has none") {
  constexpr std::size_t kQueues = 2000;
  // Also more connections than queues.
  for (const std::size_t connections : {1UL, 7UL, 1999UL, 3000UL}) {
    std::vector<int> owners(kQueues);
    for (std::size_t number = 0; number < connections; ++number) {
      const QueueShare share = share_of_queues(kQueues, connections, number);
      REQUIRE(share.begin < share.end);
      REQUIRE(share.end <= kQueues);
      CHECK(share.first == share.begin);
      for (std::size_t queue = share.begin; queue < share.end; ++queue) ++owners[queue];
    }
    for (const int count : owners) {
      CHECK(count >= 1);
      if (connections <= kQueues) CHECK(count == 1);
    }
  }
}
