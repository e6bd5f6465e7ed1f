#include "base/java_compat.h"

#include <optional>

#include "base/utf8.h"

namespace rmq {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Moves behind the line end at `at`, if there is one; "\r\n" is one.
std::size_t skip_line_end(std::string_view text, std::size_t at) {
  if (at == text.size()) return at;
  return text.substr(at, 2) == "\r\n" ? at + 2 : at + 1;
}

// The next logical line from `at` on: comments and blank lines skipped, continued lines joined,
// escapes left alone.
std::optional<std::string> next_line(std::string_view text, std::size_t& at) {
  while (at < text.size()) {
    at = skip_blanks(text, at);
    if (at == text.size()) break;
    if (is_line_end(text[at])) {
      ++at;
      continue;
    }
    if (text[at] == '#' || text[at] == '!') {
      while (at < text.size() && !is_line_end(text[at])) ++at;
      continue;
    }
    std::string line;
    while (at < text.size() && !is_line_end(text[at])) {
      if (text[at] != '\\') {
        line += text[at++];
        continue;
      }
      if (at + 1 < text.size() && !is_line_end(text[at + 1])) {
        line.append(text, at, 2);
        at += 2;
        continue;
      }
      at = skip_blanks(text, skip_line_end(text, at + 1));
    }
    return line;
  }
  return std::nullopt;
}

std::optional<char32_t> hex4(std::string_view text, std::size_t at) {
  if (text.size() - at < 4) return std::nullopt;
  char32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!letter && !(c >= '0' && c <= '9')) return std::nullopt;
    value = value * 16 + static_cast<char32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
  }
  return value;
}

// text[at] is the first digit after "\u". Appends the character, joining a pair of surrogates;
// returns where to go on.
std::size_t append_unicode_escape(std::string_view text, std::size_t at, std::string& out) {
  std::optional<char32_t> code_point = hex4(text, at);
  if (!code_point) {
    out += 'u';
    return at;
  }
  at += 4;
  if (is_high_surrogate(*code_point) && text.substr(at, 2) == "\\u") {
    const std::optional<char32_t> low = hex4(text, at + 2);
    if (low && is_low_surrogate(*low)) {
      code_point = join_surrogates(*code_point, *low);
      at += 6;
    }
  }
  char bytes[kUtf8BytesMax];
  out.append(bytes, encode_utf8(*code_point, bytes));
  return at;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at++];
      continue;
    }
    const char kind = text[at + 1];
    at += 2;
    if (kind == 'u') {
      at = append_unicode_escape(text, at, out);
    } else {
      out += kind == 't'   ? '\t'
             : kind == 'n' ? '\n'
             : kind == 'r' ? '\r'
             : kind == 'f' ? '\f'
                           : kind;
    }
  }
  return out;
}

std::pair<std::string, std::string> split(std::string_view line) {
  std::size_t key_end = 0;
  while (key_end < line.size() && !is_blank(line[key_end]) && line[key_end] != '=' &&
         line[key_end] != ':') {
    key_end += line[key_end] == '\\' && key_end + 1 < line.size() ? 2 : 1;
  }
  std::size_t value_from = skip_blanks(line, key_end);
  if (value_from < line.size() && (line[value_from] == '=' || line[value_from] == ':')) {
    value_from = skip_blanks(line, value_from + 1);
  }
  return {unescape(line.substr(0, key_end)), unescape(line.substr(value_from))};
}

void append_escaped(std::string& out, std::string_view text, bool is_key) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  for (std::size_t at = 0; at < text.size();) {
    const bool leading = at == 0;
    const char32_t c = next_code_point(text, at);
    if (c == ' ') {
      out += is_key || leading ? "\\ " : " ";
    } else if (c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      out += c == '\t' ? "\\t" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\f";
    } else if (c == '\\' || c == '=' || c == ':' || c == '#' || c == '!') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c > 0x7E) {
      for_each_utf16_unit(c, [&](char32_t unit) {
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[(unit >> shift) & 0xF];
      });
    } else {
      out += static_cast<char>(c);
    }
  }
}

}  // namespace

std::int32_t java_hash(std::string_view utf8, std::int32_t before) {
  auto hash = static_cast<std::uint32_t>(before);
  for (std::size_t at = 0; at < utf8.size();) {
    if (const auto c = static_cast<unsigned char>(utf8[at]); c < 0x80) {
      hash = hash * 31 + c;
      ++at;
      continue;
    }
    for_each_utf16_unit(next_code_point(utf8, at), [&](char32_t unit) {
      hash = hash * 31 + static_cast<std::uint32_t>(unit);
    });
  }
  return static_cast<std::int32_t>(hash);
}

JavaProperties parse_properties(std::string_view text) {
  JavaProperties properties;
  std::size_t at = 0;
  while (const std::optional<std::string> line = next_line(text, at)) {
    properties.push_back(split(*line));
  }
  return properties;
}

std::string write_properties(const JavaProperties& properties) {
  std::string out;
  for (const auto& [key, value] : properties) {
    append_escaped(out, key, true);
    out += '=';
    append_escaped(out, value, false);
    out += '\n';
  }
  return out;
}

}  // namespace rmq
