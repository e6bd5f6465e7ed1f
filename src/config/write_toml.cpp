#include "config/write_toml.h"

#include <array>
#include <cstdio>

namespace rmq::config {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string array(std::string_view list) {
  std::string out = "[";
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(';'), list.size());
    if (end > 0) out += (out.size() > 1 ? ", " : "") + quoted(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return out + "]";
}

std::string value_of(const Row& row) {
  const std::string text = row.get();
  switch (row.kind) {
    case Kind::Boolean:
    case Kind::Integer:
      return text;
    case Kind::List:
      return array(text);
    case Kind::Text:
      return quoted(text);
  }
  return {};
}

}  // namespace

std::string write_toml(const Rows& rows, bool explained) {
  std::string out;
  std::string_view table;
  for (const Row& row : rows.all()) {
    const std::size_t dot = row.toml_key.find('.');
    const std::string_view own_table = row.toml_key.substr(0, dot);
    if (own_table != table) {
      out += (out.empty() ? "[" : "\n[") + std::string(own_table) + "]\n";
      table = own_table;
    }
    if (explained) out += "# " + std::string(row.text) + "\n";
    out += std::string(row.toml_key.substr(dot + 1)) + " = " + value_of(row) + "\n";
  }
  return out;
}

}  // namespace rmq::config
