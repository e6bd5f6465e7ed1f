#include "base/json_scanner.h"

#include <cstring>

#include "base/byte_search.h"
#include "base/utf8.h"

namespace rmq::json {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\b';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_number_suffix(char c) { return c == 'L' || c == 'S' || c == 'B' || c == 'F' || c == 'D'; }

std::optional<char32_t> hex_value(const char* from, const char* end, int digits) {
  if (end - from < digits) return std::nullopt;
  char32_t value = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = from[i];
    char32_t digit = 0;
    if (is_digit(c)) {
      digit = static_cast<char32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<char32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<char32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

// The character of a one-letter escape, or nothing.
std::optional<char> simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'v':
      return '\v';
    case 'f':
    case 'F':
      return '\f';
    case 'r':
      return '\r';
    case '"':
    case '\'':
    case '/':
    case '\\':
      return c;
    default:
      if (c >= '0' && c <= '7') return static_cast<char>(c - '0');
      return std::nullopt;
  }
}

char* put_code_point(char32_t code_point, char* to) {
  if (code_point >= 0x80) return to + encode_utf8(code_point, to);
  *to = static_cast<char>(code_point);
  return to + 1;
}

// Reads the four digits at `from` and, after a high surrogate, a following \uXXXX with the low one.
std::optional<char32_t> unicode_escape(const char*& from, const char* end) {
  const std::optional<char32_t> unit = hex_value(from, end, 4);
  if (!unit) return std::nullopt;
  from += 4;
  if (!is_high_surrogate(*unit) || end - from < 6 || from[0] != '\\' || from[1] != 'u') return unit;
  const std::optional<char32_t> low = hex_value(from + 2, end, 4);
  if (!low || !is_low_surrogate(*low)) return unit;
  from += 6;
  return join_surrogates(*unit, *low);
}

}  // namespace

bool Scanner::skip_spaces() {
  while (at_ != end_) {
    if (is_space(*at_)) {
      ++at_;
      continue;
    }
    if (*at_ != '/') return true;
    if (end_ - at_ < 2) return false;
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    if (at_[1] == '/') {
      const std::size_t line_end = rest.find('\n');
      at_ = line_end == std::string_view::npos ? end_ : at_ + line_end + 1;
    } else if (at_[1] == '*') {
      const std::size_t close = rest.find("*/", 2);
      if (close == std::string_view::npos) return false;
      at_ += close + 2;
    } else {
      return false;
    }
  }
  return true;
}

bool Scanner::is_number_start() const {
  return is_digit(peek()) || peek() == '-' || peek() == '+' || peek() == '.';
}

std::optional<RawString> Scanner::string() {
  const char quote = *at_++;
  const char* const begin = at_;
  const auto text_until = [&](const char* close) {
    at_ = close + 1;
    return std::string_view(begin, static_cast<std::size_t>(close - begin));
  };
  const char* p = find_either(begin, end_, quote, '\\');
  if (p == end_) return std::nullopt;
  if (*p == quote) return RawString{text_until(p), false};
  while (end_ - p >= 2) {
    p = find_either(p + 2, end_, quote, '\\');
    if (p != end_ && *p == quote) return RawString{text_until(p), true};
  }
  return std::nullopt;
}

std::string_view Scanner::number() {
  const char* const begin = at_;
  while (at_ != end_ && (is_digit(*at_) || *at_ == '-' || *at_ == '+' || *at_ == '.' ||
                         *at_ == 'e' || *at_ == 'E')) {
    ++at_;
  }
  const std::string_view text(begin, static_cast<std::size_t>(at_ - begin));
  if (at_ != end_ && is_number_suffix(*at_)) ++at_;
  return text;
}

std::string_view Scanner::word() {
  const char* const begin = at_;
  while (at_ != end_ && is_word_char(*at_)) ++at_;
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

bool Scanner::skip_value(int depth) {
  if (!skip_space()) return false;
  if (is_quote()) return string().has_value();
  if (peek() == '{' || peek() == '[') {
    if (depth >= kDepthMax) return false;
    return skip_members(*at_++ == '{' ? '}' : ']', depth + 1);
  }
  if (is_number_start()) return !number().empty();
  return !word().empty();
}

bool Scanner::skip_members(char close, int depth) {
  for (;;) {
    if (!skip_space_and_commas()) return false;
    if (take(close)) return true;
    if (!skip_value(depth)) return false;
    if (!skip_space()) return false;
    if (close == '}') {
      if (!take(':') || !skip_value(depth) || !skip_space()) return false;
    }
    if (peek() != ',' && peek() != close) return false;
  }
}

std::optional<std::size_t> unescape(char* text, std::size_t size) {
  const char* const end = text + size;
  const char* from = size == 0 ? end : static_cast<const char*>(std::memchr(text, '\\', size));
  if (from == nullptr || from == end) return size;
  char* to = text + (from - text);
  while (from != end) {
    if (*from != '\\') {
      const char* const next = find_either(from, end, '\\', '\\');
      std::memmove(to, from, static_cast<std::size_t>(next - from));
      to += next - from;
      from = next;
      continue;
    }
    if (++from == end) return std::nullopt;
    const char kind = *from++;
    if (kind == 'u') {
      const std::optional<char32_t> code_point = unicode_escape(from, end);
      if (!code_point) return std::nullopt;
      to = put_code_point(*code_point, to);
    } else if (kind == 'x') {
      const std::optional<char32_t> code_point = hex_value(from, end, 2);
      if (!code_point) return std::nullopt;
      from += 2;
      to = put_code_point(*code_point, to);
    } else {
      const std::optional<char> plain = simple_escape(kind);
      if (!plain) return std::nullopt;
      *to++ = *plain;
    }
  }
  return static_cast<std::size_t>(to - text);
}

}  // namespace rmq::json
