// json::Scanner: the tokens of fastjson's dialect of JSON, as views into the text. Two parsers
// stand on it: json::parse (bodies and files, into a tree) and the header parser of src/protocol
// (no tree, no allocation). Beyond JSON: comments, single quotes, unquoted names, any number of
// commas, number suffixes (1L), \x and \0 escapes. Never reads past `end`; each byte is looked at a
// bounded number of times.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rmq::json {

// Arrays and objects inside one another; deeper text is refused.
inline constexpr int kDepthMax = 64;

// A string between its quotes, as written.
struct RawString {
  std::string_view text;
  bool escaped = false;  // has a backslash: unescape() it
};

class Scanner {
 public:
  Scanner(const char* begin, const char* end) : at_(begin), end_(end) {}
  explicit Scanner(std::string_view text) : Scanner(text.data(), text.data() + text.size()) {}

  const char* at() const { return at_; }
  bool at_end() const { return at_ == end_; }
  // The next byte, or 0 at the end.
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  bool take(char expected) {
    if (at_ == end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }

  // Skips white space and comments. False when a comment does not end.
  bool skip_space() {
    // Nearly always there is none.
    return (at_ != end_ && static_cast<unsigned char>(*at_) > ' ' && *at_ != '/') || skip_spaces();
  }
  // The same, and commas.
  bool skip_space_and_commas() {
    do {
      if (!skip_space()) return false;
    } while (take(','));
    return true;
  }

  bool is_quote() const { return peek() == '"' || peek() == '\''; }
  bool is_number_start() const;
  // Reads a quoted string; is_quote() must hold. Nothing when it does not end.
  std::optional<RawString> string();
  // Reads [0-9+-.eE]* and one suffix of [LSBFD], which is not part of the result.
  std::string_view number();
  // Reads an unquoted name or word; empty when there is none.
  std::string_view word();
  // Skips any one value; `depth` is how deep it lies itself. False when it is malformed or too
  // deep.
  bool skip_value(int depth);

 private:
  bool skip_spaces();
  bool skip_members(char close, int depth);

  const char* at_;
  const char* end_;
};

// Resolves escapes in place: the result is never longer. Returns its size, or nothing when an
// escape is malformed.
std::optional<std::size_t> unescape(char* text, std::size_t size);

}  // namespace rmq::json
