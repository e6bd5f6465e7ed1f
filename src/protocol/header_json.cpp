#include "protocol/header_json.h"

#include <charconv>
#include <cstring>
#include <string>

#include "base/json_scanner.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

// A scalar, or any other value as it is written.
struct Text {
  std::string_view text;
  enum class Kind { Null, Quoted, Number, Word, Nested } kind = Kind::Null;
};

// Depth of the header object's values and of the ext fields' values, for the scanner's limit.
constexpr int kMemberDepth = 1;
constexpr int kExtDepth = 2;

// key == name, where the compiler knows the name's size and needs no call.
template <std::size_t kSize>
bool is(std::string_view key, const char (&name)[kSize]) {
  return key.size() == kSize - 1 && std::memcmp(key.data(), name, kSize - 1) == 0;
}

class HeaderParser {
 public:
  HeaderParser(MutableByteView header, CommandView& out)
      : begin_(reinterpret_cast<char*>(header.data())),
        scanner_(begin_, begin_ + header.size()),
        out_(out) {}

  Result<> parse() {
    const bool well_formed = scanner_.skip_space() && scanner_.take('{') && members() &&
                             scanner_.skip_space() && scanner_.at_end();
    if (well_formed) return {};
    return fail(ProtocolErrc::HeaderMalformed,
                "JSON at byte " + std::to_string(scanner_.at() - begin_));
  }

 private:
  // Calls member(key) at each value of the object whose '{' has been taken.
  template <class F>
  bool each_member(F&& member) {
    for (;;) {
      if (!scanner_.skip_space_and_commas()) return false;
      if (scanner_.take('}')) return true;
      std::string_view key;
      if (!read_key(key)) return false;
      if (!scanner_.skip_space() || !scanner_.take(':')) return false;
      if (!member(key) || !scanner_.skip_space()) return false;
      if (scanner_.peek() != ',' && scanner_.peek() != '}') return false;
    }
  }

  bool members() {
    return each_member([this](std::string_view key) { return member(key); });
  }

  bool member(std::string_view key) {
    if (is(key, "code")) return read_int(out_.code);
    if (is(key, "opaque")) return read_int(out_.opaque);
    if (is(key, "flag")) return read_int(out_.flag);
    if (is(key, "version")) return read_int(out_.version);
    if (is(key, "language")) return read_language();
    if (is(key, "remark")) return read_remark();
    if (is(key, "extFields")) return read_ext_fields();
    return scanner_.skip_value(kMemberDepth);
  }

  // A quoted string, resolved where it lies.
  bool read_string(std::string_view& out) {
    const std::optional<json::RawString> raw = scanner_.string();
    if (!raw) return false;
    out = raw->text;
    if (!raw->escaped) return true;
    char* const text = begin_ + (raw->text.data() - begin_);
    const std::optional<std::size_t> size = json::unescape(text, raw->text.size());
    if (!size) return false;
    out = {text, *size};
    return true;
  }

  bool read_key(std::string_view& out) {
    if (scanner_.is_quote()) return read_string(out);
    out = scanner_.is_number_start() ? scanner_.number() : scanner_.word();
    return !out.empty();
  }

  bool read_value(Text& out, int depth) {
    if (!scanner_.skip_space()) return false;
    if (scanner_.is_quote()) {
      out.kind = Text::Kind::Quoted;
      return read_string(out.text);
    }
    if (scanner_.is_number_start()) {
      out.kind = Text::Kind::Number;
      out.text = scanner_.number();
      return !out.text.empty();
    }
    if (scanner_.peek() == '{' || scanner_.peek() == '[') {
      const char* const from = scanner_.at();
      out.kind = Text::Kind::Nested;
      if (!scanner_.skip_value(depth)) return false;
      out.text = {from, static_cast<std::size_t>(scanner_.at() - from)};
      return true;
    }
    out.text = scanner_.word();
    out.kind = out.text == "null" ? Text::Kind::Null : Text::Kind::Word;
    return out.kind == Text::Kind::Null || out.text == "true" || out.text == "false";
  }

  bool read_int(std::int32_t& out) {
    Text value;
    if (!read_value(value, kMemberDepth)) return false;
    out = 0;
    if (value.kind == Text::Kind::Null || value.text.empty()) return true;
    if (value.kind != Text::Kind::Quoted && value.kind != Text::Kind::Number) return false;
    const char* const end = value.text.data() + value.text.size();
    const auto result = std::from_chars(value.text.data(), end, out);
    if (result.ec != std::errc()) return false;
    if (result.ptr == end) return true;
    // A number's fraction is cut off, as fastjson does.
    const std::string_view rest(result.ptr, static_cast<std::size_t>(end - result.ptr));
    return value.kind == Text::Kind::Number && rest.front() == '.' &&
           rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
  }

  bool read_language() {
    Text value;
    if (!read_value(value, kMemberDepth)) return false;
    if (value.kind != Text::Kind::Number) {
      out_.language = language_from_name(value.text);
      return true;
    }
    std::int32_t ordinal = -1;
    std::from_chars(value.text.data(), value.text.data() + value.text.size(), ordinal);
    out_.language = language_from_number(ordinal);
    return true;
  }

  bool read_remark() {
    Text value;
    if (!read_value(value, kMemberDepth)) return false;
    out_.remark = value.kind == Text::Kind::Null ? std::string_view() : value.text;
    return true;
  }

  bool read_ext_fields() {
    out_.fields.clear();
    if (!scanner_.skip_space()) return false;
    if (!scanner_.take('{')) return scanner_.word() == "null";
    return each_member([this](std::string_view key) {
      Text value;
      if (!read_value(value, kExtDepth)) return false;
      if (value.kind == Text::Kind::Null) return true;
      if (out_.fields.size() == kFieldsMax) return false;
      out_.fields.push_back({key, value.text});
      return true;
    });
  }

  char* const begin_;
  json::Scanner scanner_;
  CommandView& out_;
};

}  // namespace

Result<> parse_json_header(MutableByteView header, CommandView& out) {
  return HeaderParser(header, out).parse();
}

}  // namespace rmq::protocol
