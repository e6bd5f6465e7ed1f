#include "protocol/message_batch.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

Bytes one_entry() {
  Bytes out;
  REQUIRE(append_batch_entry({.flag = 7, .body = as_bytes("body"), .properties = "p"}, out));
  return out;
}

std::error_code read_error(ByteView body) {
  BatchReader reader(body);
  const auto entry = reader.next();
  return entry ? std::error_code() : entry.error().code;
}

}  // namespace

TEST_CASE("batch: what stands for size, magic and CRC is not read") {
  Bytes body = one_entry();
  for (std::size_t at = 0; at < 12; ++at) body[at] = std::byte{0xFF};
  BatchReader reader(body);
  const auto entry = reader.next().value();
  REQUIRE(entry.has_value());
  CHECK(entry->flag == 7);
  CHECK(as_text(entry->body) == "body");
  CHECK(entry->properties == "p");
  CHECK_FALSE(reader.next().value().has_value());
}

TEST_CASE("batch: no inner length leads out of it") {
  for (const std::int32_t length : {-1, 8, 0x7FFFFFFF}) {
    Bytes body = one_entry();
    store_big_endian(body.data() + 16, length);
    CHECK(read_error(body) == ProtocolErrc::BodyMalformed);
  }
  for (const int length : {-1, 2, 32767}) {
    Bytes body = one_entry();
    store_big_endian(body.data() + 24, static_cast<std::int16_t>(length));
    CHECK(read_error(body) == ProtocolErrc::BodyMalformed);
  }
}

TEST_CASE("batch: an empty body has no entries") {
  BatchReader reader({});
  CHECK_FALSE(reader.next().value().has_value());
}

TEST_CASE("batch: properties that do not fit are refused, and nothing is written") {
  const std::string properties(32768, 'x');
  Bytes out;
  CHECK_FALSE(append_batch_entry({.properties = properties}, out));
  CHECK(out.empty());
  CHECK(append_batch_entry({.properties = std::string_view(properties).substr(1)}, out));
  CHECK(out.size() == kBatchEntryBytesMin + 32767);
}

}  // namespace rmq::protocol
