#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace rmq::log {
namespace {

std::atomic<Level> g_level{Level::Info};

constexpr const char* kLevelNames[] = {"debug", "info ", "warn ", "error"};

void append_time(std::string& line) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  line.append(text, size);
  const int written = std::snprintf(text, sizeof text, ".%03dZ", static_cast<int>(ms % 1000));
  line.append(text, static_cast<std::size_t>(written));
}

// Quotes a value that would not survive as one word; control characters never reach the terminal.
void append_value(std::string& line, std::string_view value) {
  bool plain = !value.empty();
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) plain = false;
  }
  if (plain) {
    line.append(value);
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escaped[8];
      const int written =
          std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      line.append(escaped, static_cast<std::size_t>(written));
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

void set_level(Level level) { g_level.store(level, std::memory_order_relaxed); }
bool enabled(Level level) { return level >= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view module, std::string_view what,
           std::initializer_list<Field> fields) {
  std::string line;
  line.reserve(200);
  append_time(line);
  line += ' ';
  line += kLevelNames[static_cast<int>(level)];
  line += ' ';
  line.append(module);
  line += ' ';
  append_value(line, what);
  for (const Field& field : fields) {
    line += ' ';
    line.append(field.key);
    line += '=';
    append_value(line, field.value);
  }
  line += '\n';
  // One write per line, so lines of several threads do not mix; a log that cannot be written must
  // not stop a broker.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace rmq::log
