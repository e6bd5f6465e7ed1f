// Bodies between brokers, name servers and clients about routes and registration.
#include "protocol/route_body.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "golden/golden.h"
#include "protocol/command.h"
#include "protocol/data_version.h"
#include "protocol/protocol_errc.h"
#include "protocol/registration_body.h"
#include "protocol/topic_config.h"

namespace rmq::protocol {
namespace {

constexpr DataVersion kVersion5{.state_version = 2, .timestamp = 1700000000000, .counter = 5};

TopicConfig topic(std::string name, std::int32_t read, std::int32_t write, std::int32_t perm) {
  TopicConfig config;
  config.topic = std::move(name);
  config.read_queue_nums = read;
  config.write_queue_nums = write;
  config.perm = perm;
  return config;
}

// In the order in which Java's map happened to have them.
std::vector<TopicConfig> topics() {
  TopicConfig attributes = topic("TopicAttributes", 16, 4, 6);
  attributes.topic_sys_flag = 3;
  attributes.filter_type = TopicFilterType::MultiTag;
  attributes.order = true;
  attributes.attributes = {{"+message.type", "FIFO"}};
  return {topic("%RETRY%group", 1, 1, 6), topic("TBW102", 8, 8, 7), attributes};
}

TopicQueueMappingInfo mapping() {
  TopicQueueMappingInfo info;
  info.topic = "Static";
  info.total_queues = 8;
  info.bname = "broker-a";
  info.epoch = 1234567;
  info.curr_id_map = {{2, 0}};
  return info;
}

RegisterBrokerBody registration() {
  RegisterBrokerBody body;
  body.data_version = kVersion5;
  body.mapping_data_version.timestamp = 1600000000000;
  body.topics = topics();
  body.mappings = {mapping()};
  return body;
}

BrokerData broker(std::string name, BrokerAddresses addresses) {
  BrokerData data;
  data.cluster = "DefaultCluster";
  data.broker_name = std::move(name);
  data.broker_addrs = std::move(addresses);
  return data;
}

TopicRouteData route() {
  TopicRouteData route;
  route.queue_datas = {{"broker-a", 8, 8, 6, 0}, {"broker-b", 4, 2, 4, 1}};
  route.broker_datas = {broker("broker-a", {{0, "10.0.0.1:10911"}, {1, "10.0.0.2:10911"}}),
                        broker("broker-b", {{0, "[fe80::1]:10911"}})};
  return route;
}

TopicRouteData full_route() {
  TopicRouteData full = route();
  full.order_topic_conf = "broker-a:8;broker-b:4";
  BrokerData zoned = broker("b'\"c", {{0, "10.0.0.3:10911"}});
  zoned.cluster = "C/\xC3\xA4";
  zoned.zone_name = "zone<1>";
  zoned.enable_acting_master = true;
  full.broker_datas = {zoned};
  full.filter_server_table = {{"10.0.0.3:10911", {"10.0.0.3:30000"}}};
  full.topic_queue_mapping_by_broker = {{"broker-a", mapping()}};
  return full;
}

void sort_topics(RegisterBrokerBody& body) {
  std::sort(body.topics.begin(), body.topics.end(),
            [](const TopicConfig& a, const TopicConfig& b) { return a.topic < b.topic; });
}

}  // namespace

TEST_CASE("golden registration: JSON both ways") {
  const std::string text = golden::read_text("register_broker_body.json");
  CHECK(decode_registration(as_bytes(text), kVersion).value() == registration());
  CHECK(encode_registration(registration()) == text);

  const std::string empty = golden::read_text("register_broker_body_default.json");
  CHECK(decode_registration(as_bytes(empty), kVersion).value() == RegisterBrokerBody());
  CHECK(encode_registration(RegisterBrokerBody()) == empty);
}

TEST_CASE("golden registration: compressed both ways") {
  const Bytes bytes = golden::read("register_broker_body_compressed.bin");
  auto body = decode_registration(bytes, kVersion);
  REQUIRE(body);
  sort_topics(*body);
  // The line of a topic has no place for these.
  RegisterBrokerBody expected = registration();
  for (TopicConfig& config : expected.topics) {
    config.order = false;
    config.topic_sys_flag = 0;
  }
  expected.mapping_data_version = {};
  sort_topics(expected);
  CHECK(*body == expected);
  CHECK(decode_registration(encode_registration_compressed(registration()), kVersion).value() ==
        *body);
}

TEST_CASE("golden registration: no prefix is a registration") {
  const std::string text = golden::read_text("register_broker_body.json");
  golden::for_each_truncation(as_bytes(text), [](ByteView prefix) {
    // An empty body is one, without topics.
    CHECK(decode_registration(prefix, kVersion).has_value() == prefix.empty());
  });
  golden::for_each_truncation(golden::read("register_broker_body_compressed.bin"),
                              [](ByteView prefix) {
                                if (prefix.empty()) return;
                                CHECK_FALSE(decode_registration(prefix, kVersion));
                              });
}

TEST_CASE("golden topic: its line in a compressed registration") {
  const auto lines = golden::read_lines("topic_config.txt");
  REQUIRE(lines.size() == 2);
  TopicConfig attributes = topics()[2];
  std::string line;
  append_topic_line(attributes, line);
  CHECK(line == lines[0]);
  attributes.order = false;
  attributes.topic_sys_flag = 0;
  CHECK(parse_topic_line(lines[0]).value() == attributes);

  line.clear();
  append_topic_line(topic("Plain", 16, 16, 6), line);
  CHECK(line == lines[1]);
  CHECK(parse_topic_line(lines[1]).value() == topic("Plain", 16, 16, 6));
}

TEST_CASE("golden data version: both ways") {
  const std::string text = golden::read_text("data_version.json");
  CHECK(encode_data_version(kVersion5) == text);
  CHECK(decode_data_version(text).value() == kVersion5);
  golden::for_each_truncation(as_bytes(text), [](ByteView prefix) {
    if (!prefix.empty()) CHECK_FALSE(decode_data_version(as_text(prefix)));
  });
}

TEST_CASE("golden route: both forms, both ways") {
  struct RouteCase {
    std::string name;
    TopicRouteData route;
  };
  for (const RouteCase& c :
       {RouteCase{"route_body", route()}, RouteCase{"route_body_full", full_route()}}) {
    CAPTURE(c.name);
    const std::string plain = golden::read_text(c.name + ".json");
    const std::string standard = golden::read_text(c.name + "_standard.json");
    CHECK(encode_topic_route(c.route, JsonForm::Fastjson) == plain);
    CHECK(encode_topic_route(c.route, JsonForm::Standard) == standard);
    for (const std::string& text : {plain, standard}) {
      CHECK(decode_topic_route(text).value() == c.route);
      golden::for_each_truncation(as_bytes(text), [](ByteView prefix) {
        CHECK_FALSE(decode_topic_route(as_text(prefix)));
      });
    }
  }
}

TEST_CASE("golden cluster info: both ways") {
  ClusterInfo info;
  info.broker_addr_table = {
      {"broker-a", broker("broker-a", {{0, "10.0.0.1:10911"}, {1, "10.0.0.2:10911"}})}};
  info.cluster_addr_table = {{"DefaultCluster", {"broker-a"}}};
  const std::string text = golden::read_text("cluster_info.json");
  CHECK(encode_cluster_info(info) == text);
  CHECK(decode_cluster_info(text).value() == info);
  golden::for_each_truncation(
      as_bytes(text), [](ByteView prefix) { CHECK_FALSE(decode_cluster_info(as_text(prefix))); });
}

TEST_CASE("golden topic list: both ways") {
  TopicList list;
  list.topic_list = {"TopicB", "TopicA", "%RETRY%group"};
  TopicList with_broker = list;
  with_broker.broker_addr = "10.0.0.1:10911";
  struct ListCase {
    std::string file;
    TopicList list;
  };
  for (const ListCase& c :
       {ListCase{"topic_list.json", list}, ListCase{"topic_list_broker.json", with_broker},
        ListCase{"topic_list_empty.json", TopicList()}}) {
    CAPTURE(c.file);
    const std::string text = golden::read_text(c.file);
    CHECK(encode_topic_list(c.list) == text);
    CHECK(decode_topic_list(text).value() == c.list);
    golden::for_each_truncation(
        as_bytes(text), [](ByteView prefix) { CHECK_FALSE(decode_topic_list(as_text(prefix))); });
  }
}

TEST_CASE("golden KV table: both ways") {
  KVTable table;
  table.table = {{"putTps", "0.0 0.1 12.5"}};
  const std::string text = golden::read_text("kv_table.json");
  CHECK(encode_kv_table(table) == text);
  CHECK(decode_kv_table(text).value() == table);
  golden::for_each_truncation(
      as_bytes(text), [](ByteView prefix) { CHECK_FALSE(decode_kv_table(as_text(prefix))); });
}

}  // namespace rmq::protocol
