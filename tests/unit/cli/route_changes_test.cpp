#include "cli/route_changes.h"

#include <doctest/doctest.h>

using namespace rmq;
using namespace rmq::cli;
using protocol::TopicRouteData;

namespace {

TopicRouteData route() {
  TopicRouteData route;
  protocol::QueueData queues;
  queues.broker_name = "a";
  queues.read_queue_nums = 4;
  queues.write_queue_nums = 4;
  queues.perm = 6;
  protocol::BrokerData broker;
  broker.broker_name = "a";
  broker.broker_addrs[0] = "h:1";
  route.queue_datas.push_back(queues);
  route.broker_datas.push_back(broker);
  return route;
}

std::vector<std::string> lines(const std::optional<TopicRouteData>& before,
                               const std::optional<TopicRouteData>& after) {
  std::vector<std::string> lines;
  for (const RouteChange& change : compare_routes(before, after)) {
    lines.push_back(change_line(change));
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("route changes: a topic that comes and goes") {
  CHECK(lines(std::nullopt, route()) == Lines{"topic = there", "a: master = h:1",
                                              "a: permission = rw", "a: read queues = 4",
                                              "a: write queues = 4"});
  CHECK(lines(route(), std::nullopt).front() == "topic there is gone");
  CHECK(lines(route(), std::nullopt).size() == 5);
  CHECK(lines(route(), route()).empty());
  CHECK(lines(std::nullopt, std::nullopt).empty());
}

TEST_CASE("route changes: queues, permission, replicas, order") {
  TopicRouteData after = route();
  after.queue_datas[0].write_queue_nums = 8;
  after.queue_datas[0].perm = 4;
  after.broker_datas[0].broker_addrs = {{1, "h:2"}};
  after.order_topic_conf = "a:8";
  CHECK(lines(route(), after) == Lines{"order = a:8", "a: master h:1 is gone",
                                       "a: permission rw -> r", "a: slave 1 = h:2",
                                       "a: write queues 4 -> 8"});
}
