#include "replication/epoch_text.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "replication/replication_errc.h"

using namespace rmq;
using namespace rmq::replication;

namespace {

// Bit by bit; the real one is a library's.
std::int32_t crc32(std::string_view text) {
  std::uint32_t sum = 0xFFFFFFFFU;
  for (const char c : text) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ (0xEDB88320U & (0U - (sum & 1U)));
  }
  return static_cast<std::int32_t>(~sum & 0x7FFFFFFFU);
}

EpochHistory two_epochs() {
  EpochHistory history;
  REQUIRE(history.begin(Epoch{1}, PhysicalOffset{0}));
  REQUIRE(history.begin(Epoch{12}, PhysicalOffset{1'073'741'824'000}));
  return history;
}

std::error_code why(const std::string& text) { return decode_epochs(text, crc32).error().code; }

}  // namespace

TEST_CASE("epoch text: count, sum, lines, and back") {
  CHECK(crc32("123456789") == (0xCBF43926U & 0x7FFFFFFFU));
  const std::string lines = "1-0\n12-1073741824000\n";
  const std::string text = encode_epochs(two_epochs(), crc32);
  CHECK(text == "2\n" + std::to_string(crc32(lines)) + "\n" + lines);
  CHECK(decode_epochs(text, crc32).value() == two_epochs());
  CHECK(decode_epochs(encode_epochs({}, crc32), crc32).value().empty());
}

TEST_CASE("epoch text: a sum of 0 is not checked") {
  CHECK(decode_epochs("2\n0\n1-0\n12-1073741824000\n", crc32).value() == two_epochs());
  CHECK(decode_epochs("2\r\n0\r\n1-0\r\n12-1073741824000", crc32).value() == two_epochs());
}

TEST_CASE("epoch text: what is not whole is refused") {
  CHECK(why("") == ReplicationErrc::Malformed);
  CHECK(why("2\n") == ReplicationErrc::Malformed);
  CHECK(why("2\n0\n1-0\n") == ReplicationErrc::Malformed);
  CHECK(why("1\n0\n1-0\n12-5\n") == ReplicationErrc::Malformed);
  CHECK(why("1\n1\n1-0\n") == ReplicationErrc::Malformed);
  CHECK(why("1\n0\n1_0\n") == ReplicationErrc::Malformed);
  CHECK(why("1\n0\n1-\n") == ReplicationErrc::Malformed);
  CHECK(why("1\n0\n99999999999-0\n") == ReplicationErrc::Malformed);
  CHECK(why("1\n0\n1-99999999999999999999\n") == ReplicationErrc::Malformed);
  CHECK(why("2\n0\n3-0\n2-10\n") == ReplicationErrc::EpochsOutOfOrder);
}

TEST_CASE("epoch text: any shorter text is refused when the sum counts") {
  const std::string text = encode_epochs(two_epochs(), crc32);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(!decode_epochs(text.substr(0, size), crc32));
  }
}
