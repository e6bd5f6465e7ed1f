// Push consumers against a whole broker: broadcasting, and what brokers and administrators ask of
// consumers.
#include <doctest/doctest.h>

#include <ostream>

#include "base/json.h"
#include "client/server_call.h"
#include "protocol/offset.h"
#include "protocol/offset_body.h"
#include "tests/support/local_cluster.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using test::Collector;
using test::from_first;
using test::LocalCluster;
using test::numbers;

namespace {

template <class Header>
protocol::Command ask(LocalCluster& cluster, Client& client, RequestCode code,
                      const Header& header) {
  const std::string address = cluster.broker->address();
  const protocol::Command request = protocol::make_request(code, header);
  const auto answer = cluster.run<Result<protocol::Command>>(
      [&] { return ask_server(client.rpc(), address, request, 10s); });
  REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message()));
  return *answer;
}

}  // namespace

TEST_CASE("broadcasting: every member gets everything, and goes on where its own file says") {
  LocalCluster cluster;
  test::TempDirectory offsets;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 3);
  PushConsumerOptions options = from_first();
  options.group.model = MessageModel::Broadcasting;
  options.group.offsets_directory = offsets.path();
  {
    Collector first(cluster, cluster.make_client("c1"), options);
    Collector second(cluster, cluster.make_client("c2"), options);
    first.subscribe("T").start();
    second.subscribe("T").start();
    CHECK(first.queues("T").size() == 3);
    CHECK(second.queues("T").size() == 3);
    cluster.send(client, "T", 30);
    first.wait_for(30);
    second.wait_for(30);
    CHECK(first.sorted_bodies() == numbers(30));
    CHECK(second.sorted_bodies() == numbers(30));
  }
  const auto text = read_text_file(FileSystem::posix(), offsets.path() + "/c1/g/offsets.json");
  REQUIRE(text.has_value());
  const auto object = json::parse(*text);
  REQUIRE(object.has_value());
  const json::Value* table = object->find("offsetTable");
  REQUIRE(table != nullptr);
  REQUIRE(table->members().size() == 3);
  CHECK(table->members()[2].key_object().text_or("topic", "") == "T");
  CHECK(table->members()[2].key_object().text_or("brokerName", "") == "a");
  CHECK(table->members()[2].key_object().int_or("queueId", -1) == 2);
  CHECK(table->members()[2].value.as_int() == 10);

  cluster.send(client, "T", 6, "", 30);
  Collector again(cluster, cluster.make_client("c1"), options);
  again.subscribe("T").start();
  again.wait_for(6);
  CHECK(again.sorted_bodies() == numbers(6, 30));
}

TEST_CASE("an administrator resets the group back in time while it runs") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  cluster.send(client, "T", 20);
  Collector collector(cluster, client, from_first());
  collector.subscribe("T").start();
  collector.wait_for(20);
  AdminClient admin(client, 10s);
  const auto reset = cluster.run<Result<protocol::QueueOffsetMap>>(
      [&] { return admin.reset_offsets(cluster.broker->address(), "T", "g", 0); });
  REQUIRE_MESSAGE(reset, (reset ? "" : reset.error().message()));
  collector.wait_for(40);
  CHECK(collector.count() == 40);
}

TEST_CASE("an administrator asks a consumer how far it has come") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  cluster.send(client, "T", 10);
  Collector collector(cluster, client, from_first());
  collector.subscribe("T", "*").start();
  collector.wait_for(10);
  Client& tool = cluster.make_client();

  protocol::InvokeBrokerToGetConsumerStatusRequest status;
  status.topic = "T";
  status.group = "g";
  LocalCluster::until([&] {
    const auto answer = ask(cluster, tool, RequestCode::InvokeBrokerToGetConsumerStatus, status);
    const std::string body(as_text(answer.body));
    return body.find("\"queueId\":0,\"topic\":\"T\"}:5") != std::string::npos &&
           body.find("\"queueId\":1,\"topic\":\"T\"}:5") != std::string::npos;
  });
}

TEST_CASE("consumers and producers outlive their broker's restart") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  Collector collector(cluster, cluster.make_client(), from_first());
  collector.subscribe("T").start();
  cluster.send(client, "T", 10);
  collector.wait_for(10);
  cluster.restart_broker();
  cluster.send(client, "T", 10, "", 10);
  LocalCluster::until([&] {
    std::vector<std::string> bodies = collector.sorted_bodies();
    bodies.erase(std::unique(bodies.begin(), bodies.end()), bodies.end());
    return bodies == numbers(20);
  });
  // The broker knows it again.
  LocalCluster::until([&] {
    AdminClient admin(client, 5s);
    const auto online = cluster.run<Result<protocol::ConsumerConnection>>(
        [&] { return admin.consumers(cluster.broker->address(), "g"); });
    return online && online->connections.size() == 1;
  });
}
