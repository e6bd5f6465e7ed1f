#include <optional>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "config/load.h"

namespace rmq::config {
namespace {

std::string line_of(std::string_view file, const toml::source_region& source) {
  return std::string(file) + ":" + std::to_string(source.begin.line) + ": ";
}

Result<toml::table> parse(std::string_view text, std::string_view file) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return fail(ConfigErrc::Syntax,
                line_of(file, parsed.error().source()) + std::string(parsed.error().description()));
  }
  return std::move(parsed).table();
}

// The value as a row's text form; nothing if its TOML type is not what the row's kind asks for.
std::optional<std::string> text_of(const toml::node& node, Kind kind) {
  switch (kind) {
    case Kind::Boolean:
      if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
      return std::nullopt;
    case Kind::Integer:
      if (const auto* value = node.as_integer()) return std::to_string(value->get());
      return std::nullopt;
    case Kind::List:
      if (const auto* array = node.as_array()) {
        std::string joined;
        for (const toml::node& item : *array) {
          const auto* value = item.as_string();
          if (value == nullptr) return std::nullopt;
          joined += (joined.empty() ? "" : ";") + value->get();
        }
        return joined;
      }
      [[fallthrough]];
    case Kind::Text:
      if (const auto* value = node.as_string()) return value->get();
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view expected_type(Kind kind) {
  switch (kind) {
    case Kind::Boolean:
      return "true or false, without quotes";
    case Kind::Integer:
      return "an integer, without quotes";
    case Kind::List:
      return "a string or an array of strings";
    case Kind::Text:
      return "a string in quotes";
  }
  return "";
}

Result<> load_value(const std::string& key, const toml::node& node, std::string_view file,
                    const Rows& rows) {
  const std::string place = line_of(file, node.source()) + key + ": ";
  const Row* row = rows.find_toml(key);
  if (row == nullptr) {
    const Row* near = nearest(rows, key);
    return fail(ConfigErrc::UnknownKey,
                place + "there is no such setting" +
                    (near ? "; the nearest is " + std::string(near->toml_key) : std::string()));
  }
  const std::optional<std::string> text = text_of(node, row->kind);
  if (!text) {
    return fail(ConfigErrc::BadValue, place + "expected " + std::string(expected_type(row->kind)) +
                                          (row->range.empty() ? "" : " (" + row->range + ")"));
  }
  if (const Result<> set = row->set(*text); !set) {
    return fail(set.error().code, place + set.error().detail);
  }
  return {};
}

Result<> load_table(const std::string& prefix, const toml::table& table, std::string_view file,
                    const Rows& rows) {
  for (const auto& [name, node] : table) {
    const std::string key =
        prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    if (const toml::table* inner = node.as_table()) {
      RMQ_CHECK(load_table(key, *inner, file, rows));
    } else {
      RMQ_CHECK(load_value(key, node, file, rows));
    }
  }
  return {};
}

}  // namespace

Result<> load_toml(std::string_view text, std::string_view file, const Rows& rows) {
  RMQ_TRY(const toml::table table, parse(text, file));
  return load_table("", table, file, rows);
}

Result<std::vector<std::string>> toml_tables(std::string_view text, std::string_view file) {
  RMQ_TRY(const toml::table table, parse(text, file));
  std::vector<std::string> names;
  for (const auto& [name, node] : table) names.emplace_back(name.str());
  return names;
}

}  // namespace rmq::config
