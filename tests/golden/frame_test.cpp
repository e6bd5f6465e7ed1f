// Frames that a Java peer sends, in both forms of the header.
#include "protocol/frame.h"

#include <doctest/doctest.h>

#include <map>
#include <ostream>
#include <string>

#include "golden/golden.h"
#include "protocol/header_fields.h"
#include "protocol/pull.h"
#include "protocol/registration_body.h"
#include "protocol/route.h"
#include "protocol/send.h"

namespace rmq::protocol {
namespace {

using FieldMap = std::map<std::string, std::string>;

struct FrameCase {
  std::string name;
  std::int32_t code = 0;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  FieldMap fields{};
  std::string body{};
  std::string remark{};
  Language language = Language::Java;
};

const std::string& properties() {
  static const std::string kText(golden::kProperties);
  return kText;
}

FrameCase send_case() {
  return {.name = "frame_send",
          .code = 10,
          .opaque = 9,
          .fields = {{"producerGroup", "producer-group"},
                     {"topic", "TopicTest"},
                     {"defaultTopic", "TBW102"},
                     {"defaultTopicQueueNums", "4"},
                     {"queueId", "3"},
                     {"sysFlag", "0"},
                     {"bornTimestamp", "1700000000123"},
                     {"flag", "-5"},
                     {"properties", properties()},
                     {"reconsumeTimes", "0"},
                     {"unitMode", "false"},
                     {"maxReconsumeTimes", "16"},
                     {"batch", "false"},
                     {"bname", "broker-a"}},
          .body = "hello"};
}

FrameCase send_v2_case() {
  return {.name = "frame_send_v2",
          .code = 310,
          .opaque = 10,
          .fields = {{"a", "producer-group"},
                     {"b", "TopicTest"},
                     {"c", "TBW102"},
                     {"d", "4"},
                     {"e", "3"},
                     {"f", "0"},
                     {"g", "1700000000123"},
                     {"h", "-5"},
                     {"i", properties()},
                     {"j", "0"},
                     {"k", "false"},
                     {"l", "16"},
                     {"m", "false"},
                     {"n", "broker-a"}},
          .body = "hello"};
}

FrameCase pull_case() {
  return {.name = "frame_pull",
          .code = 11,
          .opaque = 12,
          .fields = {{"consumerGroup", "consumer-group"},
                     {"topic", "TopicTest"},
                     {"queueId", "3"},
                     {"queueOffset", "4294967296"},
                     {"maxMsgNums", "32"},
                     {"sysFlag", "6"},
                     {"commitOffset", "0"},
                     {"suspendTimeoutMillis", "15000"},
                     {"subscription", "TagA || T\xC3\xA4gB"},
                     {"subVersion", "1700000000000"},
                     {"expressionType", "TAG"},
                     {"maxMsgBytes", "2147483647"},
                     {"bname", "broker-a"}}};
}

FrameCase register_case() {
  return {.name = "frame_register_broker",
          .code = 103,
          .opaque = 8,
          .fields = {{"brokerName", "broker-a"},
                     {"brokerAddr", "10.0.0.1:10911"},
                     {"clusterName", "DefaultCluster"},
                     {"haServerAddr", "10.0.0.1:10912"},
                     {"brokerId", "0"},
                     {"heartbeatTimeoutMillis", "120000"},
                     {"enableActingMaster", "false"},
                     {"compressed", "false"},
                     {"bodyCrc32", "892661040"}},
          .body = golden::read_text("register_broker_body.json")};
}

std::vector<FrameCase> cases() {
  FrameCase batch = send_v2_case();
  batch.name = "frame_send_batch";
  batch.code = 320;
  batch.opaque = 11;
  batch.fields["i"] = "WAIT\x01true\x02";
  batch.fields["m"] = "true";
  batch.body = golden::read_text("batch_body.bin");
  return {
      {.name = "frame_get_route", .code = 105, .opaque = 7, .fields = {{"topic", "T"}}},
      register_case(),
      send_case(),
      send_v2_case(),
      batch,
      pull_case(),
      {.name = "frame_pull_response",
       .opaque = 12,
       .flag = kFlagResponse,
       .fields = {{"suggestWhichBrokerId", "0"},
                  {"nextBeginOffset", "4294967297"},
                  {"minOffset", "0"},
                  {"maxOffset", "4294967299"},
                  {"topicSysFlag", "0"},
                  {"groupSysFlag", "0"}},
       .body = "\x01\x02\x03\xFF",
       .remark = "FOUND"},
      {.name = "frame_send_response",
       .opaque = 10,
       .flag = kFlagResponse,
       .fields = {{"msgId", "0A00000100002A9F0000000040000040"},
                  {"queueId", "3"},
                  {"queueOffset", "17"},
                  {"transactionId", "7F0000010ABC0000000000000000002A"},
                  {"MSG_REGION", "DefaultRegion"},
                  {"TRACE_ON", "true"}}},
      {.name = "frame_error_response",
       .code = 17,
       .opaque = 13,
       .flag = kFlagResponse,
       .remark = "No topic route info in name server for the topic: "
                 "T\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {.name = "frame_remark_escapes",
       .code = 1,
       .opaque = 14,
       .flag = kFlagResponse,
       .remark = std::string("\0\x01\b\t\n\v\f\r\x1B\"'\\/<&\x7F\xC2\x80\xC2\x9F\xC2\xA0"
                             "\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF",
                             31)},
      {.name = "frame_empty_response", .opaque = -1, .flag = kFlagResponse},
      {.name = "frame_oneway",
       .code = 40,
       .opaque = 2147483647,
       .flag = kFlagOneway,
       .language = Language::Go},
  };
}

std::string file_of(const FrameCase& c, SerializeType type) {
  return c.name + (type == SerializeType::Json ? "_json.bin" : "_binary.bin");
}

constexpr SerializeType kTypes[] = {SerializeType::Json, SerializeType::Binary};

FieldMap field_map(const CommandView& command) {
  FieldMap map;
  for (const auto& field : command.fields) map[std::string(field.key)] = field.value;
  return map;
}

void check_equal(const CommandView& got, const FrameCase& c, SerializeType type) {
  CHECK(got.code == c.code);
  CHECK(got.language == c.language);
  CHECK(got.version == 479);
  CHECK(got.opaque == c.opaque);
  CHECK(got.flag == c.flag);
  CHECK(got.type == type);
  CHECK(got.remark == c.remark);
  CHECK(got.fields.size() == c.fields.size());
  CHECK(field_map(got) == c.fields);
  CHECK(as_text(got.body) == c.body);
}

// What Java leaves out and rmq writes (frame.h says why): ext fields that are empty.
std::string without_empty_fields(ByteView frame) {
  std::string text(as_text(frame.subspan(8)));
  constexpr std::string_view kEmpty = "\"extFields\":{},";
  const std::size_t at = text.find(kEmpty);
  if (at != std::string::npos) text.erase(at, kEmpty.size());
  return text;
}

}  // namespace

TEST_CASE("golden frame: parsing") {
  CommandView view;  // one for all, as a connection uses it
  for (const FrameCase& c : cases()) {
    for (const SerializeType type : kTypes) {
      CAPTURE(file_of(c, type));
      Bytes frame = golden::read(file_of(c, type));
      CHECK(frame_size(frame).value() == frame.size());
      REQUIRE(parse_frame(frame, view));
      check_equal(view, c, type);
    }
  }
}

TEST_CASE("golden frame: encoding gives RocketMQ's bytes") {
  for (const FrameCase& c : cases()) {
    for (const SerializeType type : kTypes) {
      CAPTURE(file_of(c, type));
      const Bytes expected = golden::read(file_of(c, type));
      Bytes frame = expected;
      CommandView view;
      REQUIRE(parse_frame(frame, view));
      // A deep copy keeps the order of the fields, which Java's hash map chose.
      Bytes out;
      REQUIRE(encode_frame(Command(view), out));
      if (c.name == "frame_remark_escapes" && type == SerializeType::Json) {
        // Other escapes for the same text; no peer can tell.
        CommandView again;
        REQUIRE(parse_frame(out, again));
        check_equal(again, c, type);
      } else if (c.fields.empty() && type == SerializeType::Json) {
        CHECK(without_empty_fields(out) == as_text(ByteView(expected).subspan(8)));
      } else {
        CHECK(out == expected);
      }
    }
  }
}

TEST_CASE("golden frame: a prefix is never taken for a frame") {
  for (const FrameCase& c : cases()) {
    for (const SerializeType type : kTypes) {
      CAPTURE(file_of(c, type));
      const Bytes whole = golden::read(file_of(c, type));
      golden::for_each_truncation(whole, [&](MutableByteView prefix) {
        const auto size = frame_size(prefix);
        REQUIRE(size);
        CHECK(size->has_value() == (prefix.size() >= 8));
        if (size->has_value()) CHECK(**size == whole.size());
        CommandView view;
        CHECK_FALSE(parse_frame(prefix, view));
      });
    }
  }
}

TEST_CASE("golden frame: a header that ends early is malformed") {
  for (const FrameCase& c : cases()) {
    for (const SerializeType type : kTypes) {
      CAPTURE(file_of(c, type));
      const Bytes whole = golden::read(file_of(c, type));
      const std::uint32_t header_bytes =
          load_big_endian<std::uint32_t>(whole.data() + 4) & 0x00FFFFFF;
      const ByteView through_header = ByteView(whole).first(8 + header_bytes);
      golden::for_each_truncation(through_header, [&](MutableByteView frame) {
        if (frame.size() < 8) return;
        const auto rest = static_cast<std::uint32_t>(frame.size() - 8);
        store_big_endian(frame.data(), rest + 4);
        store_big_endian(frame.data() + 4, static_cast<std::uint32_t>(type) << 24 | rest);
        CommandView view;
        const auto parsed = parse_frame(frame, view);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == ProtocolErrc::HeaderMalformed);
      });
    }
  }
}

TEST_CASE("golden frame: typed headers") {
  for (const SerializeType type : kTypes) {
    CAPTURE(static_cast<int>(type));
    CommandView view;
    for (const FrameCase& c : {send_case(), send_v2_case()}) {
      CAPTURE(c.name);
      Bytes frame = golden::read(file_of(c, type));
      REQUIRE(parse_frame(frame, view));
      const auto send = decode_fields<SendMessageRequest>(view);
      REQUIRE(send);
      CHECK(send->producer_group == "producer-group");
      CHECK(send->topic == "TopicTest");
      CHECK(send->default_topic == "TBW102");
      CHECK(send->default_topic_queue_nums == 4);
      CHECK(send->queue_id == 3);
      CHECK(send->sys_flag == 0);
      CHECK(send->born_timestamp == 1700000000123);
      CHECK(send->flag == -5);
      CHECK(send->properties == golden::kProperties);
      CHECK(send->reconsume_times == 0);
      CHECK_FALSE(send->unit_mode);
      CHECK(send->max_reconsume_times == 16);
      CHECK_FALSE(send->batch);
      CHECK(send->broker_name == "broker-a");
      std::vector<std::pair<std::string, std::string>> fields;
      append_fields(*send, c.code, fields);
      CHECK(FieldMap(fields.begin(), fields.end()) == c.fields);
    }
    Bytes frame = golden::read(file_of(pull_case(), type));
    REQUIRE(parse_frame(frame, view));
    const auto pull = decode_fields<PullMessageRequest>(view);
    REQUIRE(pull);
    CHECK(pull->consumer_group == "consumer-group");
    CHECK(pull->queue_offset == QueueOffset{4294967296});
    CHECK(pull->max_msg_nums == 32);
    CHECK(pull->sys_flag == (kPullSuspend | kPullSubscription));
    CHECK(pull->suspend_timeout_millis == 15000);
    CHECK(pull->subscription == "TagA || T\xC3\xA4gB");
    CHECK(pull->max_msg_bytes == 2147483647);

    frame = golden::read(file_of(register_case(), type));
    REQUIRE(parse_frame(frame, view));
    const auto registration = decode_fields<RegisterBrokerRequest>(view);
    REQUIRE(registration);
    CHECK(registration->broker_name == "broker-a");
    CHECK(registration->broker_id == 0);
    CHECK(registration->heartbeat_timeout_millis == 120000);
    CHECK(registration->body_crc32 == registration_crc32(view.body));
    CHECK(decode_registration(view.body, view.version));
  }
}

TEST_CASE("golden frame: response heads carry what Java's do") {
  for (const SerializeType type : kTypes) {
    CAPTURE(static_cast<int>(type));
    for (const FrameCase& c : cases()) {
      if (c.name != "frame_pull_response" && c.name != "frame_send_response") continue;
      CAPTURE(c.name);
      ResponseHead head{type, c.code, c.opaque, c.remark, c.body.size()};
      Bytes out;
      if (c.name == "frame_pull_response") {
        PullMessageResponse header;
        header.next_begin_offset = QueueOffset{4294967297};
        header.max_offset = QueueOffset{4294967299};
        header.topic_sys_flag = 0;
        header.group_sys_flag = 0;
        REQUIRE(encode_response_head(head, header, out));
      } else {
        SendMessageResponse header;
        header.msg_id = "0A00000100002A9F0000000040000040";
        header.queue_id = 3;
        header.queue_offset = QueueOffset{17};
        header.transaction_id = "7F0000010ABC0000000000000000002A";
        header.msg_region = "DefaultRegion";
        REQUIRE(encode_response_head(head, header, out));
      }
      const ByteView body = as_bytes(c.body);
      out.insert(out.end(), body.begin(), body.end());
      CommandView view;
      REQUIRE(parse_frame(out, view));
      FrameCase expected = c;
      expected.language = Language::Cpp;
      check_equal(view, expected, type);
    }
  }
}

}  // namespace rmq::protocol
