#include "base/byte_search.h"

#include <doctest/doctest.h>

#include <string>

namespace rmq {

// Every text of a length around a word, with one byte changed to every value: the answer is that of
// a plain loop.
TEST_CASE("byte search: as a plain loop finds it") {
  for (std::size_t size = 0; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(value);
        text.back() = size > at + 1 ? '\\' : text.back();
        const char* const begin = text.data();
        const char* const end = begin + text.size();
        const auto first = [&](auto wanted) {
          const char* p = begin;
          while (p != end && !wanted(*p)) ++p;
          return p;
        };
        REQUIRE(find_either(begin, end, '"', '\\') ==
                first([](char c) { return c == '"' || c == '\\'; }));
        REQUIRE(find_escape_worthy(begin, end) == first([](char c) {
                  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
                }));
      }
    }
  }
}

}  // namespace rmq
