#include "protocol/route_body.h"

#include <doctest/doctest.h>

#include <ostream>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

TopicRouteData example_route() {
  TopicRouteData route;
  route.queue_datas = {{"b", 8, 8, 6, 0}};
  route.broker_datas.resize(1);
  route.broker_datas[0].cluster = "c";
  route.broker_datas[0].broker_name = "b";
  route.broker_datas[0].broker_addrs = {{0, "1.1.1.1:10911"}, {1, "1.1.1.2:10911"}};
  return route;
}

constexpr std::string_view kFastjsonRoute =
    R"({"brokerDatas":[{"brokerAddrs":{0:"1.1.1.1:10911",1:"1.1.1.2:10911"},"brokerName":"b",)"
    R"("cluster":"c","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[)"
    R"({"brokerName":"b","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]})";
constexpr std::string_view kStandardRoute =
    R"({"brokerDatas":[{"brokerAddrs":{"0":"1.1.1.1:10911","1":"1.1.1.2:10911"},"brokerName":"b",)"
    R"("cluster":"c","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[)"
    R"({"brokerName":"b","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]})";

// Every optional member present.
TopicRouteData full_route() {
  TopicRouteData route = example_route();
  route.order_topic_conf = "b:8;b2:8";
  route.broker_datas[0].zone_name = "z";
  route.broker_datas[0].enable_acting_master = true;
  route.filter_server_table = {{"1.1.1.1:10911", {"f:1", "f:2"}}};
  TopicQueueMappingInfo mapping;
  mapping.topic = "T";
  mapping.bname = "b";
  mapping.total_queues = 2;
  mapping.epoch = 1700000000000;
  mapping.curr_id_map = {{0, 0}, {1, 5}};
  route.topic_queue_mapping_by_broker.emplace()["b"] = mapping;
  return route;
}

}  // namespace

TEST_CASE("route: fastjson's bytes and standard bytes, both ways") {
  CHECK(encode_topic_route(example_route(), JsonForm::Fastjson) == kFastjsonRoute);
  CHECK(encode_topic_route(example_route(), JsonForm::Standard) == kStandardRoute);
  CHECK(decode_topic_route(kFastjsonRoute) == example_route());
  CHECK(decode_topic_route(kStandardRoute) == example_route());
}

TEST_CASE("route: optional members in alphabetical order, both ways") {
  const std::string text = encode_topic_route(full_route(), JsonForm::Fastjson);
  CHECK(text ==
        R"({"brokerDatas":[{"brokerAddrs":{0:"1.1.1.1:10911",1:"1.1.1.2:10911"},"brokerName":"b",)"
        R"("cluster":"c","enableActingMaster":true,"zoneName":"z"}],)"
        R"("filterServerTable":{"1.1.1.1:10911":["f:1","f:2"]},"orderTopicConf":"b:8;b2:8",)"
        R"("queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":8,"topicSysFlag":0,)"
        R"("writeQueueNums":8}],"topicQueueMappingByBroker":{"b":{"bname":"b",)"
        R"("currIdMap":{0:0,1:5},"dirty":false,"epoch":1700000000000,"scope":"__global__",)"
        R"("topic":"T","totalQueues":2}}})");
  CHECK(decode_topic_route(text) == full_route());
  CHECK(decode_topic_route(encode_topic_route(full_route(), JsonForm::Standard)) == full_route());
}

TEST_CASE("route: the standard form escapes slashes and all that is not ASCII") {
  TopicRouteData route;
  route.order_topic_conf = "a/\xc3\xa9";
  CHECK(
      encode_topic_route(route, JsonForm::Standard) ==
      R"({"brokerDatas":[],"filterServerTable":{},"orderTopicConf":"a\/\u00E9","queueDatas":[]})");
  CHECK(encode_topic_route(route, JsonForm::Fastjson) ==
        "{\"brokerDatas\":[],\"filterServerTable\":{},\"orderTopicConf\":\"a/"
        "\xc3\xa9\",\"queueDatas\":[]}");
}

TEST_CASE("route: which form a client gets") {
  CHECK(route_form(400, false) == JsonForm::Fastjson);
  CHECK(route_form(401, false) == JsonForm::Standard);
  CHECK(route_form(479, false) == JsonForm::Standard);
  CHECK(route_form(317, true) == JsonForm::Standard);
  CHECK(route_form(-1, false) == JsonForm::Fastjson);
}

TEST_CASE("route: what Java leaves out, writes as null or adds is understood") {
  CHECK(decode_topic_route("{}") == TopicRouteData{});
  const auto route = decode_topic_route(
      R"({"orderTopicConf":null,"queueDatas":null,"brokerDatas":[{"brokerAddrs":null,"zoneName":null}],)"
      R"("filterServerTable":{"a":null},"topicQueueMappingByBroker":null,"new":{"x":1}})");
  REQUIRE(route);
  CHECK(route->broker_datas.size() == 1);
  CHECK_FALSE(route->order_topic_conf);
  CHECK_FALSE(route->broker_datas[0].zone_name);
  CHECK_FALSE(route->topic_queue_mapping_by_broker);
  CHECK(route->filter_server_table.empty());
}

TEST_CASE("route: hostile bodies are errors or harmless") {
  for (const std::string_view bad :
       {"", "null", "[]", "7", "\"x\"", "{", R"({"brokerDatas":[{"brokerAddrs":{"x":"a"}}]})"}) {
    CAPTURE(bad);
    const auto route = decode_topic_route(bad);
    REQUIRE_FALSE(route);
    CHECK(route.error().code == ProtocolErrc::BodyMalformed);
  }
  for (std::size_t size = 0; size < kFastjsonRoute.size(); ++size) {
    CHECK_FALSE(decode_topic_route(kFastjsonRoute.substr(0, size)));
  }
  const auto odd = decode_topic_route(
      R"({"queueDatas":[1,null,"x",[],{"perm":99999999999,"readQueueNums":"8"}],"brokerDatas":{}})");
  REQUIRE(odd);
  REQUIRE(odd->queue_datas.size() == 1);
  CHECK(odd->queue_datas[0].perm == 0);
  CHECK(odd->queue_datas[0].read_queue_nums == 8);
}

TEST_CASE("cluster info: bytes, both ways") {
  ClusterInfo info;
  BrokerData& broker = info.broker_addr_table["b"];
  broker.broker_name = "b";
  broker.cluster = "c";
  broker.broker_addrs[0] = "1.1.1.1:10911";
  info.cluster_addr_table["c"] = {"b"};
  constexpr std::string_view kText =
      R"({"brokerAddrTable":{"b":{"brokerAddrs":{0:"1.1.1.1:10911"},"brokerName":"b","cluster":"c",)"
      R"("enableActingMaster":false}},"clusterAddrTable":{"c":["b"]}})";
  CHECK(encode_cluster_info(info) == kText);
  CHECK(decode_cluster_info(kText) == info);
  CHECK(encode_cluster_info({}) == R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
  CHECK_FALSE(decode_cluster_info("[]"));
  CHECK_FALSE(decode_cluster_info(R"({"brokerAddrTable":{"b":{"brokerAddrs":{"q":"a"}}}})"));
}

TEST_CASE("topic list, member group, key-value table: bytes, both ways") {
  const TopicList list{{"a", "b"}, std::nullopt};
  CHECK(encode_topic_list(list) == R"({"topicList":["a","b"]})");
  CHECK(decode_topic_list(R"({"topicList":["a","b"]})") == list);
  const TopicList with_address{{}, "h:1"};
  CHECK(encode_topic_list(with_address) == R"({"brokerAddr":"h:1","topicList":[]})");
  CHECK(decode_topic_list(R"({"brokerAddr":"h:1","topicList":[]})") == with_address);
  CHECK_FALSE(decode_topic_list("x"));

  const BrokerMemberGroup group{"c", "b", {{0, "h:1"}, {2, "h:3"}}};
  constexpr std::string_view kGroup =
      R"({"brokerMemberGroup":{"brokerAddrs":{0:"h:1",2:"h:3"},"brokerName":"b","cluster":"c"}})";
  CHECK(encode_broker_member_group(group) == kGroup);
  CHECK(decode_broker_member_group(kGroup) == group);
  CHECK(decode_broker_member_group("{}") == BrokerMemberGroup{});
  CHECK_FALSE(decode_broker_member_group(""));

  const KVTable table{{{"k", "v"}, {"q", "\"quoted\""}}};
  constexpr std::string_view kTable = R"({"table":{"k":"v","q":"\"quoted\""}})";
  CHECK(encode_kv_table(table) == kTable);
  CHECK(decode_kv_table(kTable) == table);
  CHECK(encode_kv_table({}) == R"({"table":{}})");
  CHECK_FALSE(decode_kv_table("[1]"));
}

}  // namespace rmq::protocol
