// What administrators and clients ask RouteTable, and the encoded routes it keeps.
#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <ostream>

#include "protocol/topic_config.h"
#include "roles/namesrv/route_table.h"

namespace rmq::roles::namesrv {
namespace {

using protocol::JsonForm;
using protocol::TopicConfig;
using Names = std::vector<std::string>;

struct Fixture {
  NamesrvConfig config;
  ManualClock clock;
  RouteTable table{config, clock};

  Fixture() {
    add("c1", "b1", "1.1.1.1:10911", {{"T", 0}, {"Unit", 1}, {"Sub", 2}});
    add("c2", "b2", "1.1.1.2:10911", {{"T", 0}, {"UnitSub", 3}});
  }
  void add(std::string cluster, std::string name, std::string address,
           std::vector<std::pair<std::string, std::int32_t>> topics, std::int64_t version = 1,
           std::vector<std::string> filters = {}) {
    Registration registration;
    registration.cluster = std::move(cluster);
    registration.broker_name = std::move(name);
    registration.broker_addr = std::move(address);
    registration.ha_server_addr = "ha";
    protocol::RegisterBrokerBody body;
    body.data_version.counter = version;
    body.filter_servers = std::move(filters);
    for (auto& [topic, flags] : topics) {
      TopicConfig& config_of_topic = body.topics.emplace_back();
      config_of_topic.topic = topic;
      config_of_topic.read_queue_nums = 8;
      config_of_topic.write_queue_nums = 8;
      config_of_topic.topic_sys_flag = flags;
    }
    REQUIRE(table.register_broker(registration, body));
  }
  std::string encoded(std::string_view topic, JsonForm form = JsonForm::Fastjson) {
    const std::string* body = table.encoded_route(topic, form);
    return body != nullptr ? *body : "none";
  }
};

constexpr std::string_view kUnitRoute =
    R"({"brokerDatas":[{"brokerAddrs":{0:"1.1.1.1:10911"},"brokerName":"b1","cluster":"c1",)"
    R"("enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b1",)"
    R"("perm":6,"readQueueNums":8,"topicSysFlag":1,"writeQueueNums":8}]})";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "lists: sorted, by cluster and by unit flags") {
  CHECK(table.all_topics().topic_list == Names{"Sub", "T", "Unit", "UnitSub"});
  CHECK(table.topics_of_cluster("c1").topic_list == Names{"Sub", "T", "Unit"});
  CHECK(table.topics_of_cluster("c2").topic_list == Names{"T", "UnitSub"});
  CHECK(table.topics_of_cluster("none").topic_list.empty());
  CHECK(table.topics_by_flags(protocol::kTopicUnit, 0).topic_list == Names{"Unit", "UnitSub"});
  CHECK(table.topics_by_flags(protocol::kTopicUnitSubscribed, 0).topic_list ==
        Names{"Sub", "UnitSub"});
  CHECK(table.topics_by_flags(protocol::kTopicUnitSubscribed, protocol::kTopicUnit).topic_list ==
        Names{"Sub"});
  CHECK(table.system_topics().topic_list == Names{"b1", "b2", "c1", "c2"});
  CHECK(table.system_topics().broker_addr == "1.1.1.1:10911");

  RouteTable empty(config, clock);
  CHECK(empty.system_topics() == protocol::TopicList{});
  CHECK(empty.all_topics() == protocol::TopicList{});
}

TEST_CASE_FIXTURE(Fixture, "delete: a topic everywhere, or in one cluster") {
  table.delete_topic("T", "c1");
  REQUIRE(table.find_route("T"));
  CHECK(table.find_route("T")->queue_datas.size() == 1);
  CHECK(table.find_route("T")->broker_datas[0].broker_name == "b2");
  table.delete_topic("T", "none");
  table.delete_topic("Unit", "c2");
  CHECK(table.find_route("T"));
  CHECK(table.find_route("Unit"));
  table.delete_topic("T", "c2");
  CHECK_FALSE(table.find_route("T"));
  table.delete_topic("Unit");
  table.delete_topic("never was");
  CHECK_FALSE(table.find_route("Unit"));
}

TEST_CASE_FIXTURE(Fixture, "write permission: wiped and added per broker, counted in topics") {
  CHECK(table.wipe_write_perm("b1") == 3);
  CHECK(table.find_route("T")->queue_datas[0].perm == 4);
  CHECK(table.find_route("T")->queue_datas[1].perm == 6);
  CHECK(table.add_write_perm("b1") == 3);
  CHECK(table.find_route("T")->queue_datas[0].perm == 6);
  CHECK(table.wipe_write_perm("none") == 0);
  CHECK(table.add_write_perm("none") == 0);

  // The broker's next change brings its own idea back.
  table.wipe_write_perm("b1");
  add("c1", "b1", "1.1.1.1:10911", {{"T", 0}, {"Unit", 1}, {"Sub", 2}}, 1);
  CHECK(table.find_route("T")->queue_datas[0].perm == 4);
  add("c1", "b1", "1.1.1.1:10911", {{"T", 0}, {"Unit", 1}, {"Sub", 2}}, 2);
  CHECK(table.find_route("T")->queue_datas[0].perm == 6);
}

TEST_CASE_FIXTURE(Fixture, "register topic: all brokers known, or nothing") {
  const protocol::QueueData on_b1{"b1", 4, 4, 6, 0};
  const protocol::QueueData nowhere{"b9", 4, 4, 6, 0};
  table.register_topic("New", {on_b1, nowhere});
  CHECK_FALSE(table.find_route("New"));
  table.register_topic("New", {});
  CHECK_FALSE(table.find_route("New"));
  table.register_topic("New", {on_b1});
  REQUIRE(table.find_route("New"));
  CHECK(table.find_route("New")->queue_datas[0] == on_b1);
  table.register_topic("T", {on_b1});
  CHECK(table.find_route("T")->queue_datas.size() == 2);
  CHECK(table.find_route("T")->queue_datas[0] == on_b1);
}

TEST_CASE_FIXTURE(Fixture, "encoded route: both forms, byte for byte") {
  CHECK(encoded("Unit") == kUnitRoute);
  CHECK(encoded("Unit", JsonForm::Standard).find(R"("brokerAddrs":{"0":"1.1.1.1:10911"})") !=
        std::string::npos);
  CHECK(encoded("none") == "none");
}

TEST_CASE_FIXTURE(Fixture, "encoded route: kept while nothing changes, and never stale") {
  const std::string* first = table.encoded_route("Unit", JsonForm::Fastjson);
  add("c1", "b1", "1.1.1.1:10911", {{"T", 0}, {"Unit", 1}, {"Sub", 2}});
  table.touch("c1", "1.1.1.1:10911");
  CHECK(table.encoded_route("Unit", JsonForm::Fastjson) == first);

  const std::string before = encoded("Unit");
  SUBCASE("a replica comes") {
    Registration slave;
    slave.cluster = "c1";
    slave.broker_name = "b1";
    slave.broker_addr = "1.1.1.9:10911";
    slave.broker_id = 1;
    REQUIRE(table.register_broker(slave, {}));
    CHECK(encoded("Unit").find(R"({0:"1.1.1.1:10911",1:"1.1.1.9:10911"})") != std::string::npos);
    table.unregister(std::array{BrokerIdentity{"c1", "b1", "1.1.1.9:10911"}});
    CHECK(encoded("Unit") == before);
  }
  SUBCASE("a permission changes") {
    table.wipe_write_perm("b1");
    CHECK(encoded("Unit").find(R"("perm":4)") != std::string::npos);
  }
  SUBCASE("the topic goes") {
    table.delete_topic("Unit");
    CHECK(encoded("Unit") == "none");
  }
  SUBCASE("the broker goes") {
    table.unregister(std::array{BrokerIdentity{"c1", "b1", "1.1.1.1:10911"}});
    CHECK(encoded("Unit") == "none");
    CHECK(encoded("T").find("b1") == std::string::npos);
  }
  SUBCASE("the topic gets more queues") {
    table.register_topic("Unit", {protocol::QueueData{"b2", 1, 1, 6, 0}});
    CHECK(encoded("Unit").find("b2") != std::string::npos);
  }
  SUBCASE("a filter server comes") {
    add("c1", "b1", "1.1.1.1:10911", {{"T", 0}, {"Unit", 1}}, 1, {"1.1.1.1:3000"});
    CHECK(encoded("Unit").find(R"("filterServerTable":{"1.1.1.1:10911":["1.1.1.1:3000"]})") !=
          std::string::npos);
    add("c1", "b1", "1.1.1.1:10911", {{"T", 0}, {"Unit", 1}}, 1);
    CHECK(encoded("Unit") == before);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "static topics: mappings follow the data version and leave with the broker") {
  Registration registration;
  registration.cluster = "c1";
  registration.broker_name = "b1";
  registration.broker_addr = "1.1.1.1:10911";
  protocol::RegisterBrokerBody body;
  body.data_version.counter = 5;
  body.topics.resize(2);
  body.topics[0].topic = "T";
  body.topics[1].topic = "Static";
  protocol::TopicQueueMappingInfo mapping;
  mapping.topic = "Static";
  mapping.bname = "b1";
  mapping.total_queues = 2;
  mapping.curr_id_map = {{0, 0}};
  body.mappings.push_back(mapping);
  REQUIRE(table.register_broker(registration, body));
  REQUIRE(table.find_route("Static")->topic_queue_mapping_by_broker);
  CHECK(table.find_route("Static")->topic_queue_mapping_by_broker->at("b1") == mapping);

  body.mappings[0].curr_id_map[1] = 1;
  REQUIRE(table.register_broker(registration, body));
  CHECK(table.find_route("Static")->topic_queue_mapping_by_broker->at("b1") == mapping);
  body.data_version.counter = 6;
  REQUIRE(table.register_broker(registration, body));
  CHECK(table.find_route("Static")->topic_queue_mapping_by_broker->at("b1") == body.mappings[0]);

  table.unregister(std::array{BrokerIdentity{"c1", "b1", "1.1.1.1:10911"}});
  body.mappings.clear();
  REQUIRE(table.register_broker(registration, body));
  CHECK_FALSE(table.find_route("Static")->topic_queue_mapping_by_broker);
}

TEST_CASE_FIXTURE(Fixture, "scale: ten thousand topics register, re-register and leave") {
  std::vector<std::pair<std::string, std::int32_t>> many;
  for (int i = 0; i < 10'000; ++i) many.emplace_back("topic-" + std::to_string(i), 0);
  add("c3", "b3", "1.1.1.3:10911", many);
  add("c3", "b3", "1.1.1.3:10911", many);
  CHECK(table.all_topics().topic_list.size() == 10'004);
  CHECK(table.find_route("topic-9999"));
  table.unregister(std::array{BrokerIdentity{"c3", "b3", "1.1.1.3:10911"}});
  CHECK(table.all_topics().topic_list.size() == 4);
}

}  // namespace rmq::roles::namesrv
