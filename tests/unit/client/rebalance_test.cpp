#include "client/rebalance.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>
#include <random>

using namespace rmq;
using namespace rmq::client;

namespace {

std::vector<MessageQueue> queues_of(int count) {
  std::vector<MessageQueue> queues;
  for (QueueId id = 0; id < count; ++id) queues.push_back({"topic", "brokerName", id});
  return queues;
}

std::vector<std::string> ids_of(int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back("CID_PREFIX" + std::to_string(i));
  return ids;
}

// The numbers of the queues that each member gets.
std::vector<std::vector<QueueId>> shares(int queues, int members) {
  std::vector<std::vector<QueueId>> result;
  for (const std::string& own : ids_of(members)) {
    result.emplace_back();
    for (const MessageQueue& queue : allocate_averagely(queues_of(queues), ids_of(members), own)) {
      result.back().push_back(queue.queue_id);
    }
  }
  return result;
}

using Shares = std::vector<std::vector<QueueId>>;

}  // namespace

// Computed with RocketMQ's own AllocateMessageQueueAveragely; its test expects sizes 3, 3, 2, 2 of
// ten queues and four members.
TEST_CASE("shares are Java's") {
  CHECK(shares(10, 4) == Shares{{0, 1, 2}, {3, 4, 5}, {6, 7}, {8, 9}});
  CHECK(shares(4, 2) == Shares{{0, 1}, {2, 3}});
  CHECK(shares(4, 3) == Shares{{0, 1}, {2}, {3}});
  CHECK(shares(3, 3) == Shares{{0}, {1}, {2}});
  CHECK(shares(2, 4) == Shares{{0}, {1}, {}, {}});
  CHECK(shares(5, 1) == Shares{{0, 1, 2, 3, 4}});
  CHECK(shares(0, 2) == Shares{{}, {}});
}

TEST_CASE("who is not in the list gets nothing") {
  CHECK(allocate_averagely(queues_of(4), ids_of(2), "other").empty());
  CHECK(allocate_averagely(queues_of(4), {}, "other").empty());
}

TEST_CASE("the order of the lists does not matter, that of broker names and numbers does") {
  std::vector<MessageQueue> queues{
      {"t", "b", 0}, {"t", "a", 10}, {"t", "a", 9}, {"t", "B", 1}, {"t", "a", 0}};
  const std::vector<std::string> ids{"10.0.0.9@2", "10.0.0.10@1"};
  // "10.0.0.10@1" is before "10.0.0.9@2", "B" before "a".
  const std::vector<MessageQueue> first{{"t", "B", 1}, {"t", "a", 0}, {"t", "a", 9}};
  const std::vector<MessageQueue> second{{"t", "a", 10}, {"t", "b", 0}};
  std::minstd_rand random(1);
  for (int i = 0; i < 20; ++i) {
    CHECK(allocate_averagely(queues, ids, "10.0.0.10@1") == first);
    CHECK(allocate_averagely(queues, {ids[1], ids[0]}, "10.0.0.9@2") == second);
    std::shuffle(queues.begin(), queues.end(), random);
  }
}

TEST_CASE("every queue has exactly one reader") {
  for (int queues = 0; queues < 20; ++queues) {
    for (int members = 1; members < 8; ++members) {
      std::vector<QueueId> all;
      for (const auto& share : shares(queues, members)) {
        all.insert(all.end(), share.begin(), share.end());
      }
      CHECK(all.size() == static_cast<std::size_t>(queues));
      CHECK(std::is_sorted(all.begin(), all.end()));
    }
  }
}
