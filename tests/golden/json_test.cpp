// Every JSON text that RocketMQ wrote, read and written again.
#include "base/json.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "golden/golden.h"

namespace rmq::json {
namespace {

struct Text {
  std::string file;
  Style style{};
};

std::vector<Text> texts() {
  return {
      {"cluster_info.json"},
      {"config_consumer_offset.json", kPretty},
      {"config_delay_offset.json", kPretty},
      {"config_subscription_group.json", kPretty},
      {"config_topics.json", kPretty},
      {"config_topics_empty.json", kPretty},
      {"consume_stats.json"},
      {"consumer_connection.json"},
      {"consumer_list.json"},
      {"consumer_offset.json"},
      {"data_version.json"},
      {"heartbeat.json"},
      {"heartbeat_producer.json"},
      {"kv_table.json"},
      {"lock_batch_request.json"},
      {"lock_batch_response.json"},
      {"producer_connection.json"},
      {"register_broker_body.json"},
      {"register_broker_body_default.json"},
      {"reset_offset.json"},
      {"route_body.json"},
      {"route_body_full.json"},
      {"route_body_full_standard.json", kStandard},
      {"route_body_standard.json", kStandard},
      {"subscription_group_config.json"},
      {"subscription_group_wrapper.json"},
      {"subscription_group_wrapper_pretty.json", kPretty},
      {"topic_config_wrapper.json"},
      {"topic_config_wrapper_pretty.json", kPretty},
      {"topic_list.json"},
      {"topic_list_broker.json"},
      {"topic_list_empty.json"},
      {"topic_stats.json"},
      {"unlock_batch_request.json"},
  };
}

// fastjson breaks the lines of a pretty List but not of a Set, which a text does not tell apart. Of
// all config files only groupTopicMap in consumerOffset.json has a Set, and Java reads either.
std::string with_sets_as_lists(std::string text) {
  constexpr std::string_view kSet = "[\"TopicTest\"]\n";
  constexpr std::string_view kList = "[\n\t\t\t\"TopicTest\"\n\t\t]\n";
  const std::size_t at = text.find(kSet);
  if (at != std::string::npos) text.replace(at, kSet.size(), kList);
  return text;
}

}  // namespace

TEST_CASE("golden JSON: reading and writing again gives the same bytes") {
  for (const Text& text : texts()) {
    CAPTURE(text.file);
    const std::string expected = golden::read_text(text.file);
    const auto value = parse(expected);
    REQUIRE(value);
    CHECK(write(*value, text.style) == with_sets_as_lists(expected));
  }
}

TEST_CASE("golden JSON: no prefix is a JSON text") {
  for (const Text& text : texts()) {
    CAPTURE(text.file);
    const std::string whole = golden::read_text(text.file);
    golden::for_each_truncation(as_bytes(whole), [](ByteView prefix) {
      // Nothing at all is null, as for fastjson.
      CHECK(parse(as_text(prefix)).has_value() == prefix.empty());
    });
  }
}

TEST_CASE("golden JSON: an object as a key") {
  const std::string text = golden::read_text("topic_stats.json");
  const auto value = parse(text);
  REQUIRE(value);
  const Value* table = value->find("offsetTable");
  REQUIRE(table != nullptr);
  REQUIRE(table->members().size() == 1);
  const Member& member = table->members()[0];
  CHECK(member.key_object().text_or("brokerName", "") == "broker-a");
  CHECK(member.key_object().int_or("queueId", -1) == 3);
  CHECK(member.value.int_or("maxOffset", -1) == 4294967299);
  CHECK(value->double_or("topicPutTps", 0) == 12.5);
}

}  // namespace rmq::json
