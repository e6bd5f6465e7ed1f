// json::write: the bytes of fastjson 1.2.83 (SerializeWriter, MapSerializer, ListSerializer), style
// by style.
#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"

namespace rmq::json {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";
// What a JavaScript number holds exactly: BrowserCompatible quotes integers beyond it.
constexpr std::int64_t kExactIntegerMax = 9007199254740991;

void append_unicode_escape(std::string& out, char32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[(unit >> shift) & 0xF];
}

// The letter of a short escape, or 0.
char short_escape(char32_t c) {
  switch (c) {
    case '\b':
      return 'b';
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\f':
      return 'f';
    case '\r':
      return 'r';
    case '"':
    case '\\':
      return static_cast<char>(c);
    default:
      return '\0';
  }
}

// By default fastjson escapes control characters (C0, DEL, C1) and the two Unicode line separators.
bool needs_unicode_escape(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

void append_string(std::string& out, std::string_view text, bool like_standard) {
  out += '"';
  std::size_t plain_from = 0;  // where what can be copied as it is begins
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = next_code_point(text, at);
    const char letter = like_standard && c == '/' ? '/' : short_escape(c);
    const bool unicode = like_standard ? c < 0x20 || c >= 0x7F : needs_unicode_escape(c);
    if (letter == '\0' && !unicode) continue;
    out.append(text, plain_from, from - plain_from);
    plain_from = at;
    if (letter != '\0') {
      out += '\\';
      out += letter;
    } else {
      for_each_utf16_unit(c, [&](char32_t unit) { append_unicode_escape(out, unit); });
    }
  }
  out.append(text, plain_from);
  out += '"';
}

void append_int(std::string& out, std::int64_t value) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  RMQ_ASSERT(error == std::errc());
  out.append(text, end);
}

// As Double.toString: plain from 1e-3 up to 1e7, else d.dddE±n; always with a digit after the
// point.
void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const double magnitude = std::fabs(value);
  const bool plain = magnitude == 0 || (magnitude >= 1e-3 && magnitude < 1e7);
  char buffer[40];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof(buffer), value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  RMQ_ASSERT(error == std::errc());
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t exponent_at = text.find('e');
  const std::string_view digits = text.substr(0, exponent_at);
  out += digits;
  if (digits.find('.') == std::string_view::npos) out += ".0";
  if (exponent_at == std::string_view::npos) return;
  int exponent = 0;
  std::string_view exponent_text = text.substr(exponent_at + 1);
  if (exponent_text.front() == '+') exponent_text.remove_prefix(1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  out += 'E';
  append_int(out, exponent);
}

class Writer {
 public:
  Writer(Style style, std::string& out) : style_(style), out_(out) {}

  void write_value(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::Null:
        out_ += "null";
        break;
      case Value::Kind::Bool:
        out_ += *value.as_bool() ? "true" : "false";
        break;
      case Value::Kind::Int:
        write_int(*value.as_int());
        break;
      case Value::Kind::Double:
        append_double(out_, *value.as_double());
        break;
      case Value::Kind::String:
        append_string(out_, value.string(), style_.escape_like_standard);
        break;
      case Value::Kind::Array:
        write_array(value);
        break;
      case Value::Kind::Object:
        write_object(value);
        break;
    }
  }

 private:
  void write_int(std::int64_t value) {
    const bool quote =
        style_.escape_like_standard && (value > kExactIntegerMax || value < -kExactIntegerMax);
    if (quote) out_ += '"';
    append_int(out_, value);
    if (quote) out_ += '"';
  }

  void new_line() {
    if (!style_.pretty) return;
    out_ += '\n';
    out_.append(depth_, '\t');
  }

  void write_array(const Value& array) {
    const bool lines = !style_.arrays_are_sets && !array.items().empty();
    out_ += '[';
    if (lines) ++depth_;
    bool first = true;
    for (const Value& item : array.items()) {
      if (!first) out_ += ',';
      first = false;
      if (lines) new_line();
      write_value(item);
    }
    if (lines) {
      --depth_;
      new_line();
    }
    out_ += ']';
  }

  void write_object(const Value& object) {
    out_ += '{';
    if (!object.members().empty()) {
      ++depth_;
      bool first = true;
      for (const Member& member : object.members()) {
        if (!first) out_ += ',';
        first = false;
        write_key(member.key);
        out_ += ':';
        write_value(member.value);
      }
      --depth_;
      new_line();
    }
    out_ += '}';
  }

  // Only a string key gets a line of its own: {0:12,1:3 stay together.
  void write_key(const Value& key) {
    if (key.is_string()) {
      new_line();
      write_value(key);
    } else if (style_.quote_integer_keys) {
      append_string(out_, write(key), style_.escape_like_standard);
    } else {
      write_value(key);
    }
  }

  const Style style_;
  std::string& out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string write(const Value& value, Style style) {
  std::string out;
  Writer(style, out).write_value(value);
  return out;
}

}  // namespace rmq::json
