// UTF-8, read and written code point by code point. Text of peers may be anything: malformed bytes
// are never an error here, they read as U+FFFD, one for each maximal ill-formed part, as Java's
// decoder does. Threads: any.
#pragma once

#include <cstddef>
#include <string_view>

namespace rmq {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;
inline constexpr std::size_t kUtf8BytesMax = 4;

// The code point that begins at text[at]; moves `at` behind it. `at` must be below text.size().
char32_t next_code_point(std::string_view text, std::size_t& at);

// Writes `code_point` to `to`, which has room for kUtf8BytesMax; returns the number of bytes
// written. What is not a Unicode scalar value (a lone surrogate, a number too large) is written as
// '?', as Java's encoder does.
std::size_t encode_utf8(char32_t code_point, char* to);

inline constexpr bool is_high_surrogate(char32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
inline constexpr bool is_low_surrogate(char32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }
inline constexpr char32_t join_surrogates(char32_t high, char32_t low) {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

// Calls f(char32_t unit) with the one or two UTF-16 units of `code_point`.
template <class F>
void for_each_utf16_unit(char32_t code_point, F&& f) {
  if (code_point < 0x10000) {
    f(code_point);
    return;
  }
  f(0xD800 + ((code_point - 0x10000) >> 10));
  f(0xDC00 + ((code_point - 0x10000) & 0x3FF));
}

}  // namespace rmq
