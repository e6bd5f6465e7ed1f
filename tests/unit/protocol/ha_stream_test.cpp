#include "protocol/ha_stream.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

void add_block(Bytes& stream, std::int64_t at, std::string_view bytes) {
  const auto head =
      encode_ha_block_head(PhysicalOffset{at}, static_cast<std::int32_t>(bytes.size()));
  stream.insert(stream.end(), head.begin(), head.end());
  stream.insert(stream.end(), as_bytes(bytes).begin(), as_bytes(bytes).end());
}

}  // namespace

TEST_CASE("ha stream: a report is eight bytes, the greatest first") {
  const auto report = encode_ha_report(PhysicalOffset{0x0102030405060708});
  for (std::size_t i = 0; i < report.size(); ++i) CHECK(report[i] == std::byte(i + 1));
  CHECK(decode_ha_report(report) == PhysicalOffset{0x0102030405060708});
}

TEST_CASE("ha stream: blocks and heartbeats, in whatever pieces they come") {
  Bytes stream;
  add_block(stream, 1 << 20, "some bytes of the log");
  add_block(stream, (1 << 20) + 21, "");
  add_block(stream, (1 << 20) + 21, "more");
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    CAPTURE(piece);
    std::string log;
    std::vector<std::int64_t> heartbeats;
    std::int64_t next = 1 << 20;
    HaBlockReader reader([&](PhysicalOffset at, ByteView bytes) -> Result<> {
      CHECK(at.value == next);
      if (bytes.empty()) heartbeats.push_back(at.value);
      log += as_text(bytes);
      next += static_cast<std::int64_t>(bytes.size());
      return {};
    });
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      REQUIRE(reader.feed(ByteView(stream).subspan(at, std::min(piece, stream.size() - at))));
    }
    CHECK(log == "some bytes of the logmore");
    CHECK(heartbeats == std::vector<std::int64_t>{(1 << 20) + 21});
  }
}

TEST_CASE("ha stream: what cannot be is an error, and so is what the taker says") {
  const auto feed = [](const Bytes& stream, Result<> answer) {
    HaBlockReader reader([&](PhysicalOffset, ByteView) { return answer; });
    const Result<> fed = reader.feed(stream);
    REQUIRE_FALSE(fed);
    return fed.error().code;
  };
  Bytes negative_size;
  const auto head = encode_ha_block_head(PhysicalOffset{0}, -1);
  negative_size.assign(head.begin(), head.end());
  CHECK(feed(negative_size, {}) == ProtocolErrc::BodyMalformed);
  Bytes negative_offset;
  add_block(negative_offset, -5, "x");
  CHECK(feed(negative_offset, {}) == ProtocolErrc::BodyMalformed);
  Bytes fine;
  add_block(fine, 5, "x");
  CHECK(feed(fine, fail(ProtocolErrc::Truncated)) == ProtocolErrc::Truncated);
}

}  // namespace rmq::protocol
