#include "cli/yaml.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace rmq::cli {
namespace {

// What some reader, of YAML 1.1 or 1.2, takes for something else than a string.
bool is_reserved(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kWords{
      "true", "false", "yes", "no", "on", "off", "null", "y", "n", "inf", "nan"};
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

// Begins with a letter and has nothing in it that means anything to YAML.
bool is_plain(std::string_view text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) return false;
  return !is_reserved(text) && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/');
  });
}

std::string scalar(const json::Value& value) {
  if (value.is_string() && is_plain(value.string())) return std::string(value.string());
  return json::write(value, {.quote_integer_keys = true});
}

bool is_block(const json::Value& value) {
  return (value.is_object() && !value.members().empty()) ||
         (value.is_array() && !value.items().empty());
}

void append(const json::Value& value, const std::string& indent, std::string& out);

void append_object(const json::Value& value, const std::string& indent, std::string& out) {
  bool first = true;
  for (const json::Member& member : value.members()) {
    if (!first) out += indent;
    first = false;
    out += scalar(json::Value(member.key_text())) + ":";
    if (!is_block(member.value)) {
      out += " " + scalar(member.value) + "\n";
      continue;
    }
    out += "\n" + indent + "  ";
    append(member.value, indent + "  ", out);
  }
}

// The first line of what is appended begins where `out` ends, all others with `indent`.
void append(const json::Value& value, const std::string& indent, std::string& out) {
  if (!is_block(value)) {
    out += scalar(value) + "\n";
    return;
  }
  if (value.is_object()) return append_object(value, indent, out);
  bool first = true;
  for (const json::Value& item : value.items()) {
    if (!first) out += indent;
    first = false;
    out += "- ";
    append(item, indent + "  ", out);
  }
}

}  // namespace

std::string to_yaml(const json::Value& value) {
  std::string out;
  append(value, "", out);
  return out;
}

}  // namespace rmq::cli
