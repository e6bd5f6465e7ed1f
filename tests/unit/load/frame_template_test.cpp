#include "load/frame_template.h"

#include <doctest/doctest.h>

#include <set>

#include "protocol/frame.h"
#include "protocol/header_fields.h"
#include "protocol/message_batch.h"
#include "protocol/properties.h"
#include "protocol/send.h"

using namespace rmq;
using namespace rmq::load;
using protocol::SerializeType;

namespace {

const client::MessageQueue kQueue{.topic = "T", .broker_name = "b", .queue_id = 3};
const SteadyTime kStamp{std::chrono::nanoseconds(0x1234ABCD5678)};

std::string key_of(std::string_view properties) {
  return std::string(protocol::find_property(properties, "UNIQ_KEY").value_or("(absent)"));
}

struct Parsed {
  Bytes bytes;
  protocol::CommandView view;
};

void fill(const FrameTemplate& frame, std::uint64_t number, Parsed& parsed,
          const client::MessageQueue& queue = kQueue) {
  REQUIRE(frame.fits(queue));
  frame.append_to(parsed.bytes, queue, FrameTemplate::kOpaqueBase + 17, 1'700'000'000'123, kStamp,
                  number);
  REQUIRE(protocol::frame_size(parsed.bytes) == parsed.bytes.size());
  REQUIRE(protocol::parse_frame(parsed.bytes, parsed.view));
}

}  // namespace

TEST_CASE("frame template: what differs from request to request") {
  for (const SerializeType type : {SerializeType::Json, SerializeType::Binary}) {
    SendShape shape;
    shape.body_bytes = 100;
    shape.tag = "TagA";
    shape.type = type;
    const auto frame = FrameTemplate::make(shape, kQueue, "7F00000100001234");
    REQUIRE(frame);
    Parsed parsed;
    fill(*frame, 0xABC, parsed);
    CHECK(parsed.view.code == 310);
    CHECK(parsed.view.opaque == FrameTemplate::kOpaqueBase + 17);
    CHECK(parsed.view.type == type);
    const auto header = protocol::decode_fields<protocol::SendMessageRequest>(parsed.view);
    REQUIRE(header);
    CHECK(header->topic == "T");
    CHECK(header->queue_id == 3);
    CHECK(header->born_timestamp == 1'700'000'000'123);
    CHECK(key_of(header->properties) == "7F000001000012340000000000000ABC");
    CHECK(protocol::find_property(header->properties, "TAGS") == "TagA");
    CHECK(parsed.view.body.size() == 100);
    CHECK(read_stamp(parsed.view.body) == kStamp);
  }
}

TEST_CASE("frame template: one for all queues with names as long") {
  for (const SerializeType type : {SerializeType::Json, SerializeType::Binary}) {
    SendShape shape;
    shape.type = type;
    const client::MessageQueue made_for{.topic = "Many-17", .broker_name = "b", .queue_id = 10};
    const auto frame = FrameTemplate::make(shape, made_for, "7F00000100001234");
    REQUIRE(frame);
    for (const auto& [topic, queue_id] : {std::pair("Many-17", 10), std::pair("Other-9", 99)}) {
      Parsed parsed;
      fill(*frame, 1, parsed, {.topic = topic, .broker_name = "b", .queue_id = queue_id});
      const auto header = protocol::decode_fields<protocol::SendMessageRequest>(parsed.view);
      REQUIRE(header);
      CHECK(header->topic == topic);
      CHECK(header->queue_id == queue_id);
      CHECK(header->broker_name == "b");
    }
    CHECK_FALSE(frame->fits({.topic = "Many-1", .broker_name = "b", .queue_id = 10}));
    CHECK_FALSE(frame->fits({.topic = "Many-17", .broker_name = "b", .queue_id = 9}));
    CHECK_FALSE(frame->fits({.topic = "Many-17", .broker_name = "b", .queue_id = 100}));
    CHECK_FALSE(frame->fits({.topic = "Many-17", .broker_name = "c", .queue_id = 10}));
  }
}

TEST_CASE("frame template: each message of a batch has a key of its own") {
  SendShape shape;
  shape.batch = 5;
  const auto frame = FrameTemplate::make(shape, kQueue, "7F00000100001234");
  REQUIRE(frame);
  Parsed parsed;
  fill(*frame, 100, parsed);
  CHECK(parsed.view.code == 320);
  const auto header = protocol::decode_fields<protocol::SendMessageRequest>(parsed.view);
  REQUIRE(header);
  CHECK(header->batch);
  CHECK(key_of(header->properties) == "(absent)");
  protocol::BatchReader reader(parsed.view.body);
  std::set<std::string> keys;
  for (;;) {
    const auto entry = reader.next();
    REQUIRE(entry);
    if (!*entry) break;
    keys.insert(key_of((*entry)->properties));
    CHECK((*entry)->body.size() == 128);
    CHECK(read_stamp((*entry)->body) == kStamp);
  }
  CHECK(keys.size() == 5);
  CHECK(keys.begin()->ends_with("64"));
}

TEST_CASE("frame template: bodies without room for a stamp, and too large ones") {
  SendShape shape;
  shape.body_bytes = 3;
  const auto frame = FrameTemplate::make(shape, kQueue, "7F00000100001234");
  REQUIRE(frame);
  Parsed parsed;
  fill(*frame, 1, parsed);
  CHECK(parsed.view.body.size() == 3);
  CHECK_FALSE(read_stamp(parsed.view.body));
  shape.body_bytes = std::size_t{20} * 1024 * 1024;
  CHECK_FALSE(FrameTemplate::make(shape, kQueue, "7F00000100001234"));
}
