// Loading a config file into the structs behind Rows.
//   TOML: nested tables are dotted keys ([store] flush_interval_ms = 500 is
//   store.flush_interval_ms); an unknown key is
//         an error that names the nearest known one.
//   Java: java.util.Properties text, as broker.conf and namesrv.conf are. A key that no row has is
//   kept; whether it is
//         silent, warned about or refused is the role's JavaKeys. Unlike Java, a value
//         that cannot be read is an error and not silently the default, and blanks around numbers
//         and booleans do not matter.
// Threads: none of its own. On an error the struct may be half filled: throw it away.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/field.h"

namespace rmq::config {

// What to do with a key of RocketMQ's that no row has, when its value is not the harmless one.
enum class Handling {
  Missing,  // asks for what this version does not do: a warning
  Refused   // ignoring it would lose or expose data: an error
};

struct JavaKey {
  std::string_view key;
  std::string_view harmless;  // the value under which ignoring the key changes nothing; may be ""
  Handling handling;
  std::string_view text;  // what is missing, and what to do instead
};

// RocketMQ's keys without a row. `tuning` keys size a part that rmq does not have (a thread pool, a
// JVM buffer) or choose how something is done that rmq does its own way: nothing to say about them.
struct JavaKeys {
  std::span<const JavaKey> judged;
  std::span<const std::string_view> tuning;
};

using KeyValues = std::vector<std::pair<std::string, std::string>>;

// What a Java file leaves behind besides the values.
struct JavaRemains {
  KeyValues other_keys;               // in no row, in the file's order
  std::vector<std::string> warnings;  // one line each, with file and key
};

// `file` is named in errors. Errors: ConfigErrc::Syntax, UnknownKey, BadValue.
Result<> load_toml(std::string_view text, std::string_view file, const Rows& rows);
// Errors: ConfigErrc::BadValue, Refused.
Result<JavaRemains> load_java(const KeyValues& properties, std::string_view file, const Rows& rows,
                              const JavaKeys& known);

// The first part of each key, "store" of store.flush_interval_ms, in the file's order. Errors:
// ConfigErrc::Syntax.
Result<std::vector<std::string>> toml_tables(std::string_view text, std::string_view file);
// True for a name that ends in ".toml"; anything else is Java's.
bool is_toml(std::string_view file);
// Errors: ConfigErrc::Unreadable.
Result<std::string> read_config_file(const std::string& file);

// The row whose key is most like `key`, by RocketMQ's name or by edit distance; null if none is
// near.
const Row* nearest(const Rows& rows, std::string_view key);

}  // namespace rmq::config
