// Routes, lists and registrations against bytes that Java made: each file decodes, and encodes to
// the same bytes again.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <ostream>

#include "protocol/command.h"
#include "protocol/data_version.h"
#include "protocol/registration_body.h"
#include "protocol/route_body.h"

namespace rmq::protocol {
namespace {

std::string golden(std::string_view name) {
  std::ifstream file(std::string(RMQ_TEST_SOURCE_DIR "/golden/data/") + std::string(name),
                     std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("golden: routes in both forms") {
  for (const std::string_view name : {"route_body", "route_body_full"}) {
    CAPTURE(name);
    const std::string plain = golden(std::string(name) + ".json");
    const std::string standard = golden(std::string(name) + "_standard.json");
    const auto route = decode_topic_route(plain);
    REQUIRE(route);
    CHECK(route->queue_datas.size() == 2);
    CHECK(encode_topic_route(*route, JsonForm::Fastjson) == plain);
    CHECK(encode_topic_route(*route, JsonForm::Standard) == standard);
    CHECK(decode_topic_route(standard) == *route);
  }
}

TEST_CASE("golden: cluster info, topic lists, key-value table, data version") {
  CHECK(encode_cluster_info(*decode_cluster_info(golden("cluster_info.json"))) ==
        golden("cluster_info.json"));
  for (const std::string_view name :
       {"topic_list.json", "topic_list_broker.json", "topic_list_empty.json"}) {
    CAPTURE(name);
    CHECK(encode_topic_list(*decode_topic_list(golden(name))) == golden(name));
  }
  CHECK(encode_kv_table(*decode_kv_table(golden("kv_table.json"))) == golden("kv_table.json"));
  CHECK(encode_data_version(*decode_data_version(golden("data_version.json"))) ==
        golden("data_version.json"));
}

TEST_CASE("golden: registrations") {
  for (const std::string_view name :
       {"register_broker_body.json", "register_broker_body_default.json"}) {
    CAPTURE(name);
    const auto body = decode_registration(as_bytes(golden(name)), kVersion);
    REQUIRE(body);
    CHECK(encode_registration(*body) == golden(name));
  }
}

TEST_CASE(
    "golden: the compressed registration holds what the plain one does, but for three losses") {
  auto expected = *decode_registration(as_bytes(golden("register_broker_body.json")), kVersion);
  expected.mapping_data_version = {};
  for (TopicConfig& topic : expected.topics) {
    topic.order = false;
    topic.topic_sys_flag = 0;
  }
  const auto body =
      decode_registration(as_bytes(golden("register_broker_body_compressed.bin")), kVersion);
  REQUIRE(body);
  CHECK(*body == expected);
}

TEST_CASE("golden: topic lines") {
  const std::string lines = golden("topic_config.txt");
  const std::string first = lines.substr(0, lines.find('\n'));
  const auto topic = parse_topic_line(first);
  REQUIRE(topic);
  CHECK(topic->topic == "TopicAttributes");
  CHECK(topic->attributes.size() == 1);
  std::string again;
  append_topic_line(*topic, again);
  again += "\nPlain 16 16 6 SINGLE_TAG {}\n";
  CHECK(again == lines);
}

}  // namespace rmq::protocol
