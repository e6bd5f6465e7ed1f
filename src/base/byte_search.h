// Looking for a few special bytes in short texts, eight bytes at a time: where a call of memchr()
// costs more than the search. Threads: any; pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace rmq {
namespace detail {

static_assert(std::endian::native == std::endian::little, "the lowest byte must come first");
inline constexpr std::uint64_t kOnes = 0x0101010101010101;
inline constexpr std::uint64_t kHighBits = 0x8080808080808080;

inline constexpr std::uint64_t repeated(char c) { return kOnes * static_cast<unsigned char>(c); }
// The lowest bit set is in the first zero byte; bits above that one mean nothing.
inline constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - kOnes) & ~word & kHighBits;
}
// Likewise for the first byte below 0x20.
inline constexpr std::uint64_t control_bytes(std::uint64_t word) {
  return (word - kOnes * 0x20) & ~word & kHighBits;
}

// The first byte of [from, end) that `in_word` finds among eight and `in_byte` among one; `end`
// without any.
template <class InWord, class InByte>
const char* find_byte(const char* from, const char* end, InWord in_word, InByte in_byte) {
  for (; end - from >= 8; from += 8) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof(word));
    if (const std::uint64_t hits = in_word(word)) return from + std::countr_zero(hits) / 8;
  }
  while (from != end && !in_byte(*from)) ++from;
  return from;
}

}  // namespace detail

// The first `a` or `b` in [from, end); `end` when there is none.
inline const char* find_either(const char* from, const char* end, char a, char b) {
  const std::uint64_t as = detail::repeated(a);
  const std::uint64_t bs = detail::repeated(b);
  return detail::find_byte(
      from, end,
      [as, bs](std::uint64_t w) { return detail::zero_bytes(w ^ as) | detail::zero_bytes(w ^ bs); },
      [a, b](char c) { return c == a || c == b; });
}

// The first byte that JSON writes as an escape: a quote, a backslash, or one below 0x20.
inline const char* find_escape_worthy(const char* from, const char* end) {
  constexpr std::uint64_t kQuotes = detail::repeated('"');
  constexpr std::uint64_t kBackslashes = detail::repeated('\\');
  return detail::find_byte(
      from, end,
      [](std::uint64_t w) {
        return detail::zero_bytes(w ^ kQuotes) | detail::zero_bytes(w ^ kBackslashes) |
               detail::control_bytes(w);
      },
      [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace rmq
