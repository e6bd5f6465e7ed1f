#include "replication/epoch_stream.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "replication/replication_errc.h"

using namespace rmq;
using namespace rmq::replication;

namespace {

// The frames as AutoSwitchHAClient.java and AutoSwitchHAConnection.java (5.3.3) put them together.
Bytes hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

template <class Frame>
Bytes bytes_of(const Frame& frame) {
  return {frame.begin(), frame.end()};
}

const Bytes kMasterHandshake =
    hex("00000001 00000018 0000000000012345 00000007"
        "00000003 0000000000000000 00000007 0000000000010000");
const Bytes kBlock =
    hex("00000002 00000003 0000000000010010 00000007 0000000000010000 000000000000FFF0"
        "AABBCC");

MasterHandshake master_handshake() {
  MasterHandshake handshake;
  handshake.end = PhysicalOffset{0x12345};
  handshake.epoch = Epoch{7};
  handshake.history =
      *EpochHistory::from({{Epoch{3}, PhysicalOffset{0}}, {Epoch{7}, PhysicalOffset{0x10000}}});
  return handshake;
}

// What a stream says, a line per part; the bytes of a block put together.
struct Heard {
  std::vector<std::string> parts;
  std::error_code failed;
  bool operator==(const Heard&) const = default;
};

void note(Heard& heard, const EpochStreamReader::Part& part) {
  if (const auto* handshake = std::get_if<MasterHandshake>(&part)) {
    std::string text = "handshake " + std::to_string(handshake->end.value) + " " +
                       std::to_string(handshake->epoch.value);
    for (const EpochEntry& entry : handshake->history.entries()) {
      text += " " + std::to_string(entry.epoch.value) + "-" + std::to_string(entry.start.value);
    }
    heard.parts.push_back(text);
  } else if (const auto* head = std::get_if<BlockHead>(&part)) {
    heard.parts.push_back("block " + std::to_string(head->offset.value) + " " +
                          std::to_string(head->bytes) + " " + std::to_string(head->epoch.value) +
                          "-" + std::to_string(head->epoch_start.value) + " " +
                          std::to_string(head->confirmed.value) + ":");
  } else {
    for (const std::byte byte : std::get<EpochStreamReader::BlockBytes>(part).bytes) {
      heard.parts.back() += " " + std::to_string(static_cast<int>(byte));
    }
  }
}

Heard hear(ByteView stream, std::size_t piece) {
  Heard heard;
  EpochStreamReader reader;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    ByteView bytes = stream.subspan(at, std::min(piece, stream.size() - at));
    for (;;) {
      const auto part = reader.next(bytes);
      if (!part) {
        heard.failed = part.error().code;
        return heard;
      }
      if (!*part) break;
      note(heard, **part);
    }
    CHECK(bytes.empty());
  }
  return heard;
}

Bytes joined(std::initializer_list<Bytes> frames) {
  Bytes all;
  for (const Bytes& frame : frames) all.insert(all.end(), frame.begin(), frame.end());
  return all;
}

std::error_code error_of(const Bytes& stream) { return hear(stream, stream.size()).failed; }

}  // namespace

TEST_CASE("epoch stream: a slave's frames, same bytes as Java") {
  const Bytes plain = hex("00000001 0000 0000 0000000000000102");
  const Bytes both = hex("00000001 0001 0001 0000000000000002");
  CHECK(bytes_of(encode_handshake(SlaveHandshake{0x102, false, false})) == plain);
  CHECK(bytes_of(encode_handshake(SlaveHandshake{2, true, true})) == both);
  const Bytes learner = hex("00000001 0000 0001 0000000000000002");
  CHECK(bytes_of(encode_handshake(SlaveHandshake{2, true, false})) == learner);
  const auto read = decode_slave_handshake(learner);
  REQUIRE(read);
  CHECK(read->replica == 2);
  CHECK(read->learner);
  CHECK_FALSE(read->from_last_segment);
  CHECK(decode_slave_handshake(both)->from_last_segment);

  const Bytes report = hex("00000002 0000000100000010");
  CHECK(bytes_of(encode_report(Report{PhysicalOffset{0x100000010}})) == report);
  CHECK(decode_report(report)->offset == PhysicalOffset{0x100000010});
}

TEST_CASE("epoch stream: a slave's frames that cannot be") {
  const auto handshake = [](std::string_view text) {
    const auto read = decode_slave_handshake(hex(text));
    return read ? std::error_code() : read.error().code;
  };
  CHECK(handshake("00000002 0000 0000 0000000000000002") == ReplicationErrc::FrameMalformed);
  CHECK(handshake("00000001 0000 0000 FFFFFFFFFFFFFFFF") == ReplicationErrc::FrameMalformed);
  CHECK(handshake("00000001 0000 0000 00000000000000") == ReplicationErrc::FrameMalformed);
  const auto report = [](std::string_view text) {
    const auto read = decode_report(hex(text));
    return read ? std::error_code() : read.error().code;
  };
  CHECK(report("00000001 0000000000000002") == ReplicationErrc::FrameMalformed);
  CHECK(report("00000002 FFFFFFFFFFFFFFFF") == ReplicationErrc::FrameMalformed);
  CHECK(report("00000002 00000000000000") == ReplicationErrc::FrameMalformed);
}

TEST_CASE("epoch stream: a master's frames, same bytes as Java") {
  CHECK(encode_handshake(master_handshake()) == kMasterHandshake);
  BlockHead head;
  head.offset = PhysicalOffset{0x10010};
  head.bytes = 3;
  head.epoch = Epoch{7};
  head.epoch_start = PhysicalOffset{0x10000};
  head.confirmed = PhysicalOffset{0xFFF0};
  CHECK(bytes_of(encode_block_head(head)) == Bytes(kBlock.begin(), kBlock.end() - 3));
}

TEST_CASE("epoch stream: a master's stream in pieces of any size") {
  const Bytes heartbeat =
      hex("00000002 00000000 0000000000010013 00000007 0000000000010000 0000000000010013");
  const Bytes none = hex("00000001 00000000 0000000000000000 00000000");
  const Bytes stream = joined({kMasterHandshake, kBlock, heartbeat, kBlock, none});
  const Heard expected{
      {"handshake 74565 7 3-0 7-65536", "block 65552 3 7-65536 65520: 170 187 204",
       "block 65555 0 7-65536 65555:", "block 65552 3 7-65536 65520: 170 187 204", "handshake 0 0"},
      {}};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    CAPTURE(piece);
    CHECK(hear(stream, piece) == expected);
  }
}

TEST_CASE("epoch stream: of a master in Java whose log is empty") {
  const Bytes heartbeat =
      hex("00000002 00000000 FFFFFFFFFFFFFFFF 00000001 0000000000000000 FFFFFFFFFFFFFFFF");
  CHECK(hear(heartbeat, 7) == Heard{{"block -1 0 1-0 0:"}, {}});
}

TEST_CASE("epoch stream: a master's frames that cannot be") {
  const std::error_code malformed = ReplicationErrc::FrameMalformed;
  CHECK(error_of(hex("00000000")) == malformed);
  CHECK(error_of(hex("00000003")) == malformed);
  // Sizes of handshakes: negative, not of whole entries, of more than 1000.
  CHECK(error_of(hex("00000001 FFFFFFF4 0000000000000000 00000001")) == malformed);
  CHECK(error_of(hex("00000001 0000000D 0000000000000000 00000001")) == malformed);
  CHECK(error_of(hex("00000001 00002EEC 0000000000000000 00000001")) == malformed);
  CHECK(error_of(hex("00000001 00002EE0 0000000000000000 00000001")) == std::error_code());
  // Their numbers.
  CHECK(error_of(hex("00000001 00000000 FFFFFFFFFFFFFFFF 00000001")) == malformed);
  CHECK(error_of(hex("00000001 00000000 0000000000000000 FFFFFFFF")) == malformed);
  CHECK(error_of(hex("00000001 0000000C 0000000000000000 00000001 FFFFFFFF 0000000000000000")) ==
        malformed);
  CHECK(error_of(hex("00000001 0000000C 0000000000000000 00000001 00000001 8000000000000000")) ==
        malformed);
  CHECK(error_of(hex("00000001 00000018 0000000000000000 00000001 00000001 0000000000000005"
                     "00000001 0000000000000005")) == ReplicationErrc::EpochsOutOfOrder);
  // Blocks: size, offset, epoch and its start.
  const auto block = [](std::string_view size, std::string_view offset, std::string_view epoch,
                        std::string_view start) {
    return error_of(hex("00000002" + std::string(size) + std::string(offset) + std::string(epoch) +
                        std::string(start) + "0000000000000000"));
  };
  const std::string_view zero = "0000000000000000";
  CHECK(block("00000001", zero, "00000001", zero) == std::error_code());
  CHECK(block("003FFFDC", zero, "00000001", zero) == std::error_code());
  CHECK(block("003FFFDD", zero, "00000001", zero) == malformed);
  CHECK(block("FFFFFFFF", zero, "00000001", zero) == malformed);
  CHECK(block("00000001", "FFFFFFFFFFFFFFFF", "00000001", zero) == malformed);
  CHECK(block("00000000", "FFFFFFFFFFFFFFFE", "00000001", zero) == malformed);
  CHECK(block("00000001", zero, "FFFFFFFF", zero) == malformed);
  CHECK(block("00000001", zero, "00000001", "FFFFFFFFFFFFFFFF") == malformed);
}

TEST_CASE("epoch stream: of a long history the newest epochs are sent") {
  MasterHandshake handshake;
  for (std::int32_t i = 1; i <= 1500; ++i) {
    REQUIRE(handshake.history.begin(Epoch{i}, PhysicalOffset{i * 10}));
  }
  const Bytes frame = encode_handshake(handshake);
  REQUIRE(frame.size() == 20 + 12 * 1000);
  EpochStreamReader reader;
  ByteView bytes = frame;
  const auto part = reader.next(bytes);
  REQUIRE(part);
  REQUIRE(*part);
  const auto& read = std::get<MasterHandshake>(**part);
  REQUIRE(read.history.entries().size() == 1000);
  CHECK(read.history.entries().front() == EpochEntry{Epoch{501}, PhysicalOffset{5010}});
  CHECK(read.history.last() == EpochEntry{Epoch{1500}, PhysicalOffset{15000}});
}
