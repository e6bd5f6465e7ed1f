#include "client/message.h"

#include <doctest/doctest.h>
#include <ostream>

#include "client/body_codec.h"
#include "client/client_errc.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"

using namespace rmq;
using namespace rmq::client;
using protocol::find_property;

namespace {

Message a_message() {
  Message message;
  message.topic = "Orders";
  message.body = Bytes(3, std::byte{'x'});
  return message;
}

bool refused(const Message& message) {
  const auto text = encode_message_properties(message, "ID");
  return !text && text.error().code == ClientErrc::MessageInvalid;
}

}  // namespace

TEST_CASE("message properties: tag, keys, the application's, and those of the client") {
  Message message = a_message();
  message.tag = "TagA";
  message.keys = {"k1", "k2"};
  message.properties = {{"colour", "blue"}};
  const auto text = encode_message_properties(message, "ID");
  REQUIRE(text.has_value());
  CHECK(find_property(*text, "TAGS") == "TagA");
  CHECK(find_property(*text, "KEYS") == "k1 k2");
  CHECK(find_property(*text, "colour") == "blue");
  CHECK(find_property(*text, "UNIQ_KEY") == "ID");
  CHECK(find_property(*text, "WAIT") == "true");
  message.wait_store_ok = false;
  CHECK(find_property(*encode_message_properties(message, "ID"), "WAIT") == "false");
}

TEST_CASE("messages that no broker would take are refused before they are sent") {
  CHECK_FALSE(refused(a_message()));
  Message message = a_message();
  message.topic = "";
  CHECK(refused(message));
  message.topic = "with blank";
  CHECK(refused(message));
  message.topic = std::string(127, 't');
  CHECK_FALSE(refused(message));
  message.topic += 't';
  CHECK(refused(message));
  message.topic = "%RETRY%group|x";
  CHECK_FALSE(refused(message));

  message = a_message();
  message.body.clear();
  CHECK(refused(message));

  message = a_message();
  message.properties = {{"", "value"}};
  CHECK(refused(message));
  message.properties = {{"name", ""}};
  CHECK(refused(message));
  message.properties = {{"name",
                         "a\x01"
                         "b"}};
  CHECK(refused(message));
  message.properties = {{"name", std::string(32767, 'v')}};
  CHECK(refused(message));
}

TEST_CASE("received messages: fields, ids, and bodies unpacked") {
  const Bytes body(10'000, std::byte{'z'});
  const auto packed = compress_zlib(body);
  REQUIRE(packed.has_value());
  const Bytes ip{std::byte{10}, std::byte{0}, std::byte{0}, std::byte{7}};
  Bytes ip6(16);
  ip6[15] = std::byte{1};

  protocol::MessageRecord record;
  record.topic = "Orders";
  record.queue_id = 3;
  record.queue_offset = QueueOffset{12};
  record.physical_offset = PhysicalOffset{345};
  record.sys_flag = protocol::kSysFlagCompressed | kCompressionZlib;
  record.born_timestamp_ms = 1;
  record.store_timestamp_ms = 2;
  record.born_host = protocol::HostAddress(ip6, 99);
  record.store_host = protocol::HostAddress(ip, 10911);
  record.body = *packed;
  std::string properties;
  protocol::append_property(properties, "TAGS", "TagA");
  protocol::append_property(properties, "KEYS", "k1  k2 ");
  protocol::append_property(properties, "UNIQ_KEY", "UK");
  record.properties = properties;
  Bytes records;
  protocol::encode_record(record, records);
  record.properties = {};
  record.body = as_bytes("not zlib");
  protocol::encode_record(record, records);

  const auto messages = decode_messages(records, "broker-a");
  REQUIRE(messages.has_value());
  REQUIRE(messages->size() == 2);
  const ReceivedMessage& first = (*messages)[0];
  CHECK(first.queue == MessageQueue{"Orders", "broker-a", 3});
  CHECK(first.offset == QueueOffset{12});
  CHECK(first.message_id == "UK");
  CHECK(first.offset_message_id == "0A00000700002A9F0000000000000159");
  CHECK(first.tag == "TagA");
  CHECK(first.keys == std::vector<std::string>{"k1", "k2"});
  CHECK(first.properties.size() == 3);
  CHECK(first.body == body);
  CHECK_FALSE(first.body_error.has_value());
  CHECK(first.born_host == "[0:0:0:0:0:0:0:1]:99");
  CHECK(first.store_host == "10.0.0.7:10911");

  const ReceivedMessage& second = (*messages)[1];
  CHECK(second.message_id == second.offset_message_id);
  CHECK(as_text(second.body) == "not zlib");
  REQUIRE(second.body_error.has_value());
  CHECK(second.body_error->code == ClientErrc::BodyMalformed);

  for (std::size_t size = 1; size < records.size(); ++size) {
    const auto cut = decode_messages(ByteView(records).first(size), "broker-a");
    const auto whole = load_big_endian<std::uint32_t>(records.data());
    if (size == whole) continue;  // exactly the first record
    REQUIRE_FALSE(cut.has_value());
    CHECK(cut.error().code == ClientErrc::AnswerMalformed);
  }
}
