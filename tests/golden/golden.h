// Golden files: bytes that RocketMQ's own classes made (data/README.md says which and how).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace rmq::golden {

// The content of tests/golden/data/`file`; an empty name of a missing file fails the test.
Bytes read(std::string_view file);
std::string read_text(std::string_view file);
// The lines of a text file, without their ends.
std::vector<std::string> read_lines(std::string_view file);

// What the two columns of a line are: apart by the first tab.
struct Columns {
  std::string first;
  std::string second;
};
Columns split(std::string_view line);

// Calls `decode` with each prefix of `bytes` shorter than the whole. Each prefix lies in memory of
// its own size, so that a sanitizer sees every read beyond it.
template <class Decode>
void for_each_truncation(ByteView bytes, Decode&& decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    prefix.shrink_to_fit();
    decode(MutableByteView(prefix));
  }
}

// Properties with both separators, an Euro sign, a letter of two bytes and one outside the basic
// plane.
inline constexpr std::string_view kProperties(
    "KEYS\x01k1 k2\x02TAGS\x01T\xC3\xA4g\xE2\x82\xAC\xF0\x9F\x98\x80\x02"
    "UNIQ_KEY\x01"
    "7F0000010ABC0000000000000000002A\x02WAIT\x01true\x02");

}  // namespace rmq::golden
