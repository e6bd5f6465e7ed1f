#include "base/utf8.h"

#include <cstdint>

namespace rmq {
namespace {

// What a lead byte promises: how many bytes follow, and the range of the first of them (the table
// of well-formed sequences in the Unicode standard: it excludes overlong forms, surrogates and
// values above U+10FFFF).
struct Lead {
  unsigned following = 0;
  unsigned char second_low = 0x80;
  unsigned char second_high = 0xBF;
  char32_t bits = 0;
};

Lead classify(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF, static_cast<char32_t>(byte & 0x1F)};
  if (byte >= 0xE0 && byte <= 0xEF) {
    const unsigned char low = byte == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = byte == 0xED ? 0x9F : 0xBF;
    return {2, low, high, static_cast<char32_t>(byte & 0x0F)};
  }
  if (byte >= 0xF0 && byte <= 0xF4) {
    const unsigned char low = byte == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = byte == 0xF4 ? 0x8F : 0xBF;
    return {3, low, high, static_cast<char32_t>(byte & 0x07)};
  }
  return {};
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at++]);
  if (byte < 0x80) return byte;
  const Lead lead = classify(byte);
  if (lead.following == 0) return kReplacementCharacter;
  char32_t value = lead.bits;
  for (unsigned i = 0; i < lead.following; ++i) {
    if (at == text.size()) return kReplacementCharacter;
    const auto next = static_cast<unsigned char>(text[at]);
    const unsigned char low = i == 0 ? lead.second_low : 0x80;
    const unsigned char high = i == 0 ? lead.second_high : 0xBF;
    if (next < low || next > high) return kReplacementCharacter;
    value = (value << 6) | (next & 0x3F);
    ++at;
  }
  return value;
}

std::size_t encode_utf8(char32_t code_point, char* to) {
  const auto put = [to](std::size_t index, char32_t value) {
    to[index] = static_cast<char>(static_cast<unsigned char>(value));
  };
  if (code_point < 0x80) {
    put(0, code_point);
    return 1;
  }
  if (code_point < 0x800) {
    put(0, 0xC0 | (code_point >> 6));
    put(1, 0x80 | (code_point & 0x3F));
    return 2;
  }
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  if (surrogate || code_point > 0x10FFFF) {
    to[0] = '?';
    return 1;
  }
  if (code_point < 0x10000) {
    put(0, 0xE0 | (code_point >> 12));
    put(1, 0x80 | ((code_point >> 6) & 0x3F));
    put(2, 0x80 | (code_point & 0x3F));
    return 3;
  }
  put(0, 0xF0 | (code_point >> 18));
  put(1, 0x80 | ((code_point >> 12) & 0x3F));
  put(2, 0x80 | ((code_point >> 6) & 0x3F));
  put(3, 0x80 | (code_point & 0x3F));
  return 4;
}

}  // namespace rmq
