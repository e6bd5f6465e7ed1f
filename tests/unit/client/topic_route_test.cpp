#include "client/topic_route.h"

#include <doctest/doctest.h>
#include <ostream>

using namespace rmq;
using namespace rmq::client;

namespace {

protocol::QueueData queue_data(const char* broker, std::int32_t read, std::int32_t write,
                               std::int32_t perm) {
  protocol::QueueData data;
  data.broker_name = broker;
  data.read_queue_nums = read;
  data.write_queue_nums = write;
  data.perm = perm;
  return data;
}

protocol::BrokerData broker_data(const char* name, protocol::BrokerAddresses addresses) {
  protocol::BrokerData data;
  data.cluster = "c";
  data.broker_name = name;
  data.broker_addrs = std::move(addresses);
  return data;
}

}  // namespace

TEST_CASE("a route's queues: what can be written, what can be read, sorted") {
  protocol::TopicRouteData data;
  data.queue_datas = {queue_data("b", 1, 2, 6),      queue_data("a", 2, 1, 6),
                      queue_data("ro", 1, 1, 4),     queue_data("wo", 1, 1, 2),
                      queue_data("orphan", 3, 3, 6), queue_data("slaves", 1, 1, 6)};
  data.broker_datas = {broker_data("a", {{0, "a:1"}, {1, "a:2"}}), broker_data("b", {{0, "b:1"}}),
                       broker_data("ro", {{0, "ro:1"}}), broker_data("wo", {{0, "wo:1"}}),
                       broker_data("slaves", {{3, "s:3"}, {2, "s:2"}})};
  const TopicRoute route("T", data);

  const std::vector<MessageQueue> writable{
      {"T", "a", 0}, {"T", "b", 0}, {"T", "b", 1}, {"T", "wo", 0}};
  CHECK(route.writable() == writable);
  const std::vector<MessageQueue> readable{
      {"T", "a", 0}, {"T", "a", 1}, {"T", "b", 0}, {"T", "ro", 0}, {"T", "slaves", 0}};
  CHECK(route.readable() == readable);

  CHECK(route.master_address("a") == "a:1");
  CHECK_FALSE(route.master_address("slaves").has_value());
  CHECK_FALSE(route.master_address("unknown").has_value());
  CHECK(route.read_address("a", 0) == "a:1");
  CHECK(route.read_address("a", 1) == "a:2");
  CHECK(route.read_address("a", 7) == "a:1");
  CHECK(route.read_address("slaves", 0) == "s:2");
  CHECK_FALSE(route.read_address("unknown", 0).has_value());
}

TEST_CASE("the route of a topic to be created comes from TBW102's, with fewer queues") {
  protocol::TopicRouteData data;
  data.queue_datas = {queue_data("a", 8, 8, 7), queue_data("b", 2, 8, 7)};
  data.broker_datas = {broker_data("a", {{0, "a:1"}}), broker_data("b", {{0, "b:1"}})};
  const TopicRoute route = route_of_new_topic("New", TopicRoute("TBW102", data), 4);
  CHECK(route.topic() == "New");
  CHECK(route.writable().size() == 4 + 2);
  CHECK(route.writable().front() == MessageQueue{"New", "a", 0});
  CHECK(route.readable().size() == 4 + 2);
}
