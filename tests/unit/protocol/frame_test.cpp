#include "protocol/frame.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "protocol/header_fields.h"
#include "protocol/header_json.h"
#include "protocol/offset.h"
#include "protocol/pull.h"
#include "protocol/send.h"

using namespace rmq;            // NOLINT
using namespace rmq::protocol;  // NOLINT

namespace {

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

// A frame with this header, as a peer would send it.
Bytes frame_of(SerializeType type, std::string_view header, std::string_view body = {}) {
  Bytes frame;
  BigEndianWriter writer(frame);
  writer.write(static_cast<std::uint32_t>(4 + header.size() + body.size()));
  writer.write(static_cast<std::uint32_t>(type) << 24 | static_cast<std::uint32_t>(header.size()));
  writer.write_text(header);
  writer.write_text(body);
  return frame;
}

Command sample(SerializeType type) {
  Command command;
  command.code = 310;
  command.opaque = 7;
  command.type = type;
  command.remark = "so\n\"it\"\\ \x01 \u20AC\U0001F600";
  command.fields = {
      {"b", "T"}, {"i", "KEYS\x01k\x02"}, {"empty", type == SerializeType::Json ? "" : "-"}};
  command.body = bytes_of("hello");
  return command;
}

void check_equal(const CommandView& view, const Command& command) {
  CHECK(view.code == command.code);
  CHECK(view.language == command.language);
  CHECK(view.version == command.version);
  CHECK(view.opaque == command.opaque);
  CHECK(view.flag == command.flag);
  CHECK(view.type == command.type);
  const Command copy(view);
  CHECK(copy.remark == command.remark);
  CHECK(copy.fields == command.fields);
  CHECK(copy.body == command.body);
}

std::string header_text(const Bytes& frame) {
  const auto size = load_big_endian<std::uint32_t>(frame.data() + 4) & 0xFFFFFF;
  return std::string(as_text(ByteView(frame).subspan(8, size)));
}

constexpr SerializeType kTypes[] = {SerializeType::Json, SerializeType::Binary};

}  // namespace

TEST_CASE("frame: what is encoded is parsed, in both forms") {
  for (const SerializeType type : kTypes) {
    CAPTURE(static_cast<int>(type));
    const Command command = sample(type);
    Bytes frame = bytes_of("before");
    REQUIRE(encode_frame(command, frame));
    const MutableByteView only = MutableByteView(frame).subspan(6);
    CHECK(*frame_size(only) == only.size());
    CommandView view;
    REQUIRE(parse_frame(only, view));
    check_equal(view, command);
    check_equal(Command(view).view(), command);
  }
}

TEST_CASE(
    "frame: the JSON form is fastjson's: alphabetical, no white space, ext values as strings") {
  Command command;
  command.code = 105;
  command.opaque = 7;
  command.fields = {{"topic", "T"}};
  Bytes frame;
  encode_frame(command, frame);
  CHECK(header_text(frame) ==
        R"({"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":7,)"
        R"("serializeTypeCurrentRPC":"JSON","version":479})");
}

TEST_CASE("frame: the binary form, byte by byte") {
  Command command;
  command.code = 0;
  command.version = 0;
  command.opaque = 1;
  command.flag = kFlagResponse;
  command.type = SerializeType::Binary;
  command.remark = "hi";
  command.fields = {{"k", "v"}};
  Bytes frame;
  encode_frame(command, frame);
  using namespace std::string_view_literals;  // NOLINT
  CHECK(as_text(frame) ==
        "\0\0\0\x23\1\0\0\x1F\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\2hi\0\0\0\x08\0\1k\0\0\0\1v"sv);
}

TEST_CASE("frame: response heads") {
  SendMessageResponse fields{.msg_id = "7F", .queue_id = 3, .queue_offset = QueueOffset{5}};
  fields.msg_region = "DefaultRegion";
  for (const SerializeType type : kTypes) {
    Bytes frame;
    REQUIRE(encode_response_head({.type = type, .opaque = 9, .remark = "r", .body_bytes = 2},
                                 fields, frame));
    const Bytes body = bytes_of("ab");
    frame.insert(frame.end(), body.begin(), body.end());
    CommandView view;
    REQUIRE(parse_frame(frame, view));
    CHECK(view.type == type);
    CHECK(view.code == 0);
    CHECK(view.opaque == 9);
    CHECK(view.is_response());
    CHECK(!view.is_oneway());
    CHECK(view.language == Language::Cpp);
    CHECK(view.version == 479);
    CHECK(view.remark == "r");
    CHECK(as_text(view.body) == "ab");
    CHECK(view.find("msgId") == "7F");
    CHECK(view.find("queueOffset") == "5");
    CHECK(view.find("TRACE_ON") == "true");
    CHECK(view.find("transactionId") == std::nullopt);
    CHECK(decode_fields<SendMessageResponse>(view)->queue_offset == QueueOffset{5});
  }
  Bytes frame;
  encode_response_head({.code = 1, .opaque = -4}, NoFields{}, frame);
  CHECK(header_text(frame) == R"({"code":1,"extFields":{},"flag":1,"language":"CPP","opaque":-4,)"
                              R"("serializeTypeCurrentRPC":"JSON","version":479})");
}

TEST_CASE("frame_size: judges by the first eight bytes") {
  const auto judge = [](std::uint32_t length, std::uint32_t word) {
    Bytes head;
    BigEndianWriter writer(head);
    writer.write(length);
    writer.write(word);
    return frame_size(head);
  };
  CHECK(*judge(4, 0) == 8);
  CHECK(*judge(10, 6) == 14);
  CHECK(*judge(kFrameBytesMax - 4, 0x01000002) == kFrameBytesMax);
  CHECK(judge(3, 0).error().code == ProtocolErrc::FrameMalformed);
  CHECK(judge(0, 0).error().code == ProtocolErrc::FrameMalformed);
  CHECK(judge(0xFFFFFFFF, 0).error().code == ProtocolErrc::FrameMalformed);
  CHECK(judge(0x80000000, 0).error().code == ProtocolErrc::FrameMalformed);
  CHECK(judge(kFrameBytesMax - 3, 0).error().code == ProtocolErrc::FrameTooLarge);
  CHECK(judge(0x7FFFFFFF, 0).error().code == ProtocolErrc::FrameTooLarge);
  CHECK(judge(10, 7).error().code == ProtocolErrc::FrameMalformed);
  CHECK(judge(10, 0x02000000).error().code == ProtocolErrc::FrameMalformed);
  CHECK(judge(10, 0xFF000000).error().code == ProtocolErrc::FrameMalformed);
  const Bytes eight(8);
  for (std::size_t size = 0; size < 8; ++size) {
    CHECK(*frame_size(ByteView(eight).first(size)) == std::nullopt);
  }
}

TEST_CASE("frame: every truncation of a frame, and of its header, is an error") {
  for (const SerializeType type : kTypes) {
    CAPTURE(static_cast<int>(type));
    Bytes whole;
    encode_frame(sample(type), whole);
    const std::string header = header_text(whole);
    CommandView view;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK(!parse_frame(cut, view));
    }
    for (std::size_t size = 0; size < header.size(); ++size) {
      CAPTURE(size);
      Bytes cut = frame_of(type, header.substr(0, size), "body behind it");
      const Result<> parsed = parse_frame(cut, view);
      REQUIRE(!parsed);
      CHECK(parsed.error().code == ProtocolErrc::HeaderMalformed);
    }
  }
}

TEST_CASE("frame: a binary header whose lengths lead out of it is refused") {
  Bytes whole;
  Command command = sample(SerializeType::Binary);
  command.body.clear();
  encode_frame(command, whole);
  const std::size_t remark_length = 8 + 13;
  const std::size_t fields_length = remark_length + 4 + command.remark.size();
  const std::size_t key_length = fields_length + 4;
  for (const std::size_t at : {remark_length, fields_length, key_length, key_length + 3}) {
    for (const std::uint32_t value : {0x7FFFFFFFU, 0xFFFFFFFFU, 0x80000000U, 0x00FFFFFFU, 500U}) {
      CAPTURE(at);
      CAPTURE(value);
      Bytes frame = whole;
      store_big_endian(frame.data() + at, value);
      CommandView view;
      const bool no_fields = at == fields_length && static_cast<std::int32_t>(value) < 0;
      CHECK(parse_frame(frame, view).has_value() == no_fields);
    }
  }
}

TEST_CASE("frame: a binary header's empty values read as absent, its code has 16 bits") {
  Command command;
  command.type = SerializeType::Binary;
  command.code = 200050;
  command.fields = {{"a", ""}, {"", "x"}, {"b", "1"}};
  Bytes frame;
  encode_frame(command, frame);
  CommandView view;
  REQUIRE(parse_frame(frame, view));
  CHECK(view.code == 3442);
  CHECK(view.fields.size() == 1);
  CHECK(view.find("b") == "1");
}

TEST_CASE("frame: what does not fit becomes an error response, or nothing") {
  Command command;
  command.opaque = 5;
  command.flag = kFlagResponse;
  command.body.resize(kFrameBytesMax);
  Bytes out;
  CHECK(!encode_frame(command, out));
  CommandView view;
  REQUIRE(parse_frame(out, view));
  CHECK(view.code == 1);
  CHECK(view.opaque == 5);
  CHECK(view.body.empty());

  command.body.clear();
  command.fields = {{"k", std::string(4 << 20, '\x01')}};
  out.clear();
  CHECK(!encode_frame(command, out));
  REQUIRE(parse_frame(out, view));
  CHECK(view.code == 1);

  command.flag = 0;
  out = bytes_of("x");
  CHECK(!encode_frame(command, out));
  CHECK(as_text(out) == "x");
  command.type = SerializeType::Binary;
  CHECK(encode_frame(command, out));
  command.fields = {{std::string(0x8000, 'k'), "v"}};
  CHECK(!encode_frame(command, out));
  CHECK(!encode_response_head({.body_bytes = kFrameBytesMax}, NoFields{}, out));
}

TEST_CASE("frame: a long remark is cut between two characters") {
  Command command;
  command.flag = kFlagResponse;
  command.remark.assign(kRemarkBytesMax - 1, 'r');
  command.remark += "\u20AC and more";
  Bytes frame;
  encode_frame(command, frame);
  CommandView view;
  REQUIRE(parse_frame(frame, view));
  CHECK(view.remark == std::string(kRemarkBytesMax - 1, 'r'));
}

TEST_CASE("frame: one view for many frames keeps nothing of the one before") {
  CommandView view;
  Bytes first;
  encode_frame(sample(SerializeType::Json), first);
  REQUIRE(parse_frame(first, view));
  Bytes second = frame_of(SerializeType::Json, "{}");
  REQUIRE(parse_frame(second, view));
  Command empty;
  empty.version = 0;
  check_equal(view, empty);
}
