#include <doctest/doctest.h>

#include <ostream>

#include "protocol/data_version.h"
#include "protocol/protocol_errc.h"
#include "protocol/topic_config.h"

namespace rmq::protocol {

TEST_CASE("data version: bytes, both ways, and what counts as a change") {
  const DataVersion version{7, 1700000000000, 3};
  constexpr std::string_view kText = R"({"counter":3,"stateVersion":7,"timestamp":1700000000000})";
  CHECK(encode_data_version(version) == kText);
  CHECK(decode_data_version(kText) == version);
  CHECK(decode_data_version("{}") == DataVersion{});
  CHECK(decode_data_version("").error().code == ProtocolErrc::BodyMalformed);
  CHECK(data_version_from(nullptr) == DataVersion{});

  DataVersion next = version;
  next.next(1700000000001, 8);
  CHECK(next == DataVersion{8, 1700000000001, 4});
}

TEST_CASE("data version: older and newer") {
  const DataVersion base{1, 10, 5};
  CHECK(compare_age(base, base) == 0);
  CHECK(compare_age({2, 0, 0}, base) > 0);
  CHECK(compare_age({1, 99, 4}, base) < 0);
  CHECK(compare_age({1, 11, 5}, base) > 0);
}

TEST_CASE("topic config: JSON bytes, both ways") {
  TopicConfig config;
  config.topic = "T";
  config.read_queue_nums = 8;
  config.write_queue_nums = 4;
  config.perm = 7;
  config.filter_type = TopicFilterType::MultiTag;
  config.topic_sys_flag = 1;
  config.order = true;
  config.attributes = {{"message.type", "FIFO"}};
  constexpr std::string_view kText =
      R"({"attributes":{"message.type":"FIFO"},"order":true,"perm":7,"readQueueNums":8,)"
      R"("topicFilterType":"MULTI_TAG","topicName":"T","topicSysFlag":1,"writeQueueNums":4})";
  CHECK(json::write(to_json(config)) == kText);
  CHECK(topic_config_from(*json::parse(kText)) == config);
}

TEST_CASE("topic config: defaults for what is missing or strange") {
  const TopicConfig config = topic_config_from(*json::parse(
      R"({"topicFilterType":"OTHER","perm":null,"readQueueNums":"3","attributes":[]})"));
  CHECK(config.topic.empty());
  CHECK(config.read_queue_nums == 3);
  CHECK(config.write_queue_nums == 16);
  CHECK(config.perm == 6);
  CHECK(config.filter_type == TopicFilterType::SingleTag);
  CHECK(config.attributes.empty());
}

TEST_CASE("topic line: text, both ways") {
  TopicConfig config;
  config.topic = "%RETRY%g";
  config.read_queue_nums = 1;
  config.write_queue_nums = 2;
  std::string line = "kept:";
  append_topic_line(config, line);
  CHECK(line == "kept:%RETRY%g 1 2 6 SINGLE_TAG {}");
  CHECK(parse_topic_line("%RETRY%g 1 2 6 SINGLE_TAG {}") == config);

  config.attributes = {{"message.type", "NORMAL"}, {"note", "with spaces"}};
  line.clear();
  append_topic_line(config, line);
  CHECK(parse_topic_line(line) == config);
}

TEST_CASE("topic line: attributes are optional, the rest is not") {
  REQUIRE(parse_topic_line("T 1 2 6 MULTI_TAG"));
  CHECK(parse_topic_line("T 1 2 6 MULTI_TAG {broken")->attributes.empty());
  for (const std::string_view bad :
       {"", " ", "T", "T 1 2 6", "T 1 2 6 ", "T x 2 6 SINGLE_TAG", "T 1 2 6 OTHER",
        "T  1 2 6 SINGLE_TAG", "T 1 2 99999999999 SINGLE_TAG", "T 1 2x 6 SINGLE_TAG"}) {
    CAPTURE(bad);
    const auto config = parse_topic_line(bad);
    REQUIRE_FALSE(config);
    CHECK(config.error().code == ProtocolErrc::BodyMalformed);
  }
}

}  // namespace rmq::protocol
