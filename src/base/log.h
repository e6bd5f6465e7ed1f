// The log: one line per decision, `time level module "what happened" key=value ...`, on standard
// error.
//   log::info("store", "segment rolled", kv("file", name), kv("bytes", size));
// error: someone must act; warn: we coped; info: a state changed; debug: per request. Never a
// message body. Threads: any; a line is written whole.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace rmq::log {

enum class Level { Debug, Info, Warn, Error };

struct Field {
  std::string_view key;
  std::string value;
};

// Lines below `level` are dropped. Default: Info.
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view module, std::string_view what,
           std::initializer_list<Field> fields);

template <class... F>
void debug(std::string_view module, std::string_view what, F&&... fields) {
  if (enabled(Level::Debug)) write(Level::Debug, module, what, {std::forward<F>(fields)...});
}
template <class... F>
void info(std::string_view module, std::string_view what, F&&... fields) {
  if (enabled(Level::Info)) write(Level::Info, module, what, {std::forward<F>(fields)...});
}
template <class... F>
void warn(std::string_view module, std::string_view what, F&&... fields) {
  if (enabled(Level::Warn)) write(Level::Warn, module, what, {std::forward<F>(fields)...});
}
template <class... F>
void error(std::string_view module, std::string_view what, F&&... fields) {
  write(Level::Error, module, what, {std::forward<F>(fields)...});
}

}  // namespace rmq::log

namespace rmq {

inline log::Field kv(std::string_view key, std::string_view value) {
  return {key, std::string(value)};
}
inline log::Field kv(std::string_view key, const char* value) { return {key, value}; }
inline log::Field kv(std::string_view key, bool value) { return {key, value ? "true" : "false"}; }
template <class N>
requires std::is_arithmetic_v<N> log::Field kv(std::string_view key, N value) {
  return {key, std::to_string(value)};
}

}  // namespace rmq
