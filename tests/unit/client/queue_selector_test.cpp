#include "client/queue_selector.h"

#include <doctest/doctest.h>
#include <ostream>

#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace rmq;
using namespace rmq::client;

namespace {

std::vector<MessageQueue> queues_of(std::initializer_list<std::pair<const char*, int>> brokers) {
  std::vector<MessageQueue> queues;
  for (const auto& [name, count] : brokers) {
    for (int id = 0; id < count; ++id) queues.push_back({"T", name, id});
  }
  return queues;
}

std::map<MessageQueue, int> count_picks(RoundRobin& selector,
                                        const std::vector<MessageQueue>& queues,
                                        const std::vector<std::string>& left_out, int picks) {
  std::map<MessageQueue, int> counts;
  for (int i = 0; i < picks; ++i) {
    const auto queue = selector.pick(queues, left_out);
    REQUIRE(queue.has_value());
    ++counts[*queue];
  }
  return counts;
}

}  // namespace

TEST_CASE("round robin gives every queue the same share, in order") {
  const auto queues = queues_of({{"a", 4}, {"b", 3}});
  RoundRobin selector(5);
  for (std::size_t i = 0; i < 14; ++i) CHECK(selector.pick(queues, {}) == queues[(5 + i) % 7]);
  for (const auto& [queue, count] : count_picks(selector, queues, {}, 700)) CHECK(count == 100);
}

TEST_CASE("round robin without some brokers: the others share alike") {
  const auto queues = queues_of({{"a", 4}, {"b", 1}, {"c", 4}});
  RoundRobin selector(0);
  const auto counts = count_picks(selector, queues, {"a", "c"}, 10);
  CHECK(counts == std::map<MessageQueue, int>{{queues[4], 10}});
  const auto without_b = count_picks(selector, queues, {"b"}, 80);
  CHECK(without_b.size() == 8);
  // The queue behind the one left out has no more than its share.
  for (const auto& [queue, count] : without_b) CHECK(count == 10);
}

TEST_CASE("round robin with nothing to pick") {
  RoundRobin selector(0);
  CHECK_FALSE(selector.pick({}, {}).has_value());
  const auto queues = queues_of({{"a", 2}});
  const std::vector<std::string> left_out{"a"};
  CHECK_FALSE(selector.pick(queues, left_out).has_value());
}

TEST_CASE("round robin survives the end of its counter") {
  const auto queues = queues_of({{"a", 2}});
  RoundRobin selector(UINT64_MAX);
  CHECK(selector.pick(queues, {})->queue_id == 1);
  CHECK(selector.pick(queues, {})->queue_id == 0);
}
