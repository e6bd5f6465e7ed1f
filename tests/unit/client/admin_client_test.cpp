#include "client/admin_client.h"

#include "protocol/topic.h"
#include "tests/unit/client/admin_fixture.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::FakeServer;

TEST_CASE("admin: creating a topic says all that a broker wants to know") {
  protocol::Command last;
  AdminFixture fixture([&](const protocol::CommandView& request) {
    last = protocol::Command(request);
    return std::optional(net::Response());
  });
  protocol::TopicConfig topic;
  topic.topic = "T";
  topic.read_queue_nums = 3;
  topic.write_queue_nums = 5;
  topic.perm = 6;
  topic.order = true;
  topic.attributes = {{"a", "1"}, {"b", "2"}};
  CHECK(fixture.run<void>(
      [&] { return fixture.admin->create_topic(fixture.server.address(), topic); }));
  const protocol::CommandView view = last.view();
  CHECK(view.code == 17);
  CHECK(view.find("topic") == "T");
  CHECK(view.find("defaultTopic") == "TBW102");
  CHECK(view.find("readQueueNums") == "3");
  CHECK(view.find("writeQueueNums") == "5");
  CHECK(view.find("perm") == "6");
  CHECK(view.find("order") == "true");
  CHECK(view.find("topicFilterType") == "SINGLE_TAG");
  CHECK(view.find("attributes") == "+a=1,+b=2");
}

TEST_CASE("admin: lists, clusters, routes and figures are decoded") {
  AdminFixture fixture([](const protocol::CommandView& request) -> std::optional<net::Response> {
    switch (static_cast<RequestCode>(request.code)) {
      case RequestCode::GetAllTopicListFromNameserver:
        return test::respond_body(R"({"topicList":["b","a"]})");
      case RequestCode::GetTopicsByCluster:
        return test::respond_body(R"({"topicList":["c"]})");
      case RequestCode::GetBrokerClusterInfo:
        return test::respond_body(
            R"({"brokerAddrTable":{"b":{"brokerAddrs":{0:"1.1.1.1:1"},"brokerName":"b","cluster":"c"}},)"
            R"("clusterAddrTable":{"c":["b"]}})");
      case RequestCode::GetBrokerRuntimeInfo:
        return test::respond_body(R"({"table":{"putTps":"1.0 2.0 3.0"}})");
      case RequestCode::GetKvConfig:
        return test::refuse(22, "no config");
      default:
        return test::refuse(17, "unknown topic");
    }
  });
  AdminClient& admin = *fixture.admin;
  using Names = std::vector<std::string>;
  CHECK(fixture.run<Names>([&] { return admin.topics(); }) == Names{"b", "a"});
  CHECK(fixture.run<Names>([&] { return admin.topics_of_cluster("c"); }) == Names{"c"});
  const auto info = fixture.run<protocol::ClusterInfo>([&] { return admin.cluster_info(); });
  REQUIRE(info.has_value());
  CHECK(info->broker_addr_table.at("b").broker_addrs.at(0) == "1.1.1.1:1");
  const auto figures =
      fixture.run<protocol::KVTable>([&] { return admin.runtime_info(fixture.server.address()); });
  CHECK(figures->table.at("putTps") == "1.0 2.0 3.0");
  CHECK(fixture.run<std::string>([&] { return admin.order_config("T"); }) == std::string());
  const auto route = fixture.run<protocol::TopicRouteData>([&] { return admin.route("T"); });
  CHECK(route.error().code == ResponseCode::TopicNotExist);
  CHECK(route.error().detail == fixture.server.address() + ": unknown topic");
}

TEST_CASE("admin: the order of a topic goes to every name server") {
  net::IoThreads threads(1);
  protocol::Command last;
  FakeServer first(threads,
                   [](const protocol::CommandView&) { return std::optional(net::Response()); });
  FakeServer second(threads, [&](const protocol::CommandView& request) {
    last = protocol::Command(request);
    return std::optional(net::Response());
  });
  threads.start();
  ClientOptions options;
  options.name_servers = {first.address(), second.address()};
  Client client(threads, options);
  AdminClient admin(client, 5s);
  CHECK(net::run_blocking<Result<>>(threads.control(),
                                    [&] { return admin.put_order_config("T", "a:4;b:4"); }));
  CHECK(first.count(RequestCode::PutKvConfig) == 1);
  CHECK(last.view().find("namespace") == "ORDER_TOPIC_CONFIG");
  CHECK(last.view().find("key") == "T");
  CHECK(last.view().find("value") == "a:4;b:4");
  threads.stop();
}
