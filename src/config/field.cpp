#include "config/field.h"

#include <charconv>

namespace rmq::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
  }
  return true;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':' || c == '%';
}

bool is_address(std::string_view item) {
  const std::size_t colon = item.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view host = item.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return !host.empty() && host_or_empty(host).empty() &&
         parse_integer(item.substr(colon + 1), 1, 65535).has_value();
}

}  // namespace

std::string any_text(std::string_view) { return {}; }

std::string host_or_empty(std::string_view text) {
  for (const char c : text) {
    if (!is_host_character(c)) return "an IP address or a host name, without a port";
  }
  return {};
}

std::string address_list(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view item = trimmed(text.substr(0, end));
    // Java lets a list end in ';'.
    if (!item.empty() && !is_address(item)) return "host:port, several separated by ';'";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

void Rows::append(Rows other) {
  for (Row& row : other.rows_) rows_.push_back(std::move(row));
}

const Row* Rows::find_toml(std::string_view key) const {
  for (const Row& row : rows_) {
    if (row.toml_key == key) return &row;
  }
  return nullptr;
}

const Row* Rows::find_java(std::string_view key) const {
  for (const Row& row : rows_) {
    if (!key.empty() && row.java_key == key) return &row;
  }
  return nullptr;
}

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
  const std::string_view digits = trimmed(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < min || value > max) {
    const bool open = max == std::numeric_limits<std::int64_t>::max();
    return bad_value(text, (open ? "an integer of " : "an integer in ") + range_text(min, max));
  }
  return value;
}

Result<bool> parse_boolean(std::string_view text) {
  const std::string_view word = trimmed(text);
  if (equals_ignoring_case(word, "true")) return true;
  if (equals_ignoring_case(word, "false")) return false;
  return bad_value(text, "true or false");
}

std::string range_text(std::int64_t min, std::int64_t max) {
  if (max == std::numeric_limits<std::int64_t>::max()) return std::to_string(min) + " or more";
  return std::to_string(min) + ".." + std::to_string(max);
}

tl::unexpected<Error> bad_value(std::string_view text, std::string_view expected) {
  return fail(ConfigErrc::BadValue, "'" + std::string(text) + "' is not " + std::string(expected));
}

}  // namespace rmq::config
