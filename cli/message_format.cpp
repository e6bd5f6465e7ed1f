#include "cli/message_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <ostream>

#include "base/base64.h"
#include "cli/output.h"

namespace rmq::cli {
namespace {

constexpr std::size_t kShownBinaryBytes = 32;
// Smaller numbers are years, or seconds, and not meant.
constexpr std::int64_t kEpochMsMin = 100'000'000'000;

// Whether a person would want to read it: UTF-8 without control characters but those of layout.
bool is_readable_text(std::string_view body) {
  return is_utf8(body) && std::none_of(body.begin(), body.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\x1b';
         });
}

std::string hex(ByteView bytes) {
  std::string text;
  std::array<char, 3> digits{};
  for (const std::byte byte : bytes) {
    std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(byte));
    text += digits.data();
  }
  return text;
}

std::string body_text(const Bytes& body) {
  const std::string_view text = as_text(body);
  if (!is_readable_text(text)) {
    const std::size_t shown = std::min(body.size(), kShownBinaryBytes);
    return "<" + std::to_string(body.size()) + " bytes: " + hex(ByteView(body).first(shown)) +
           (shown < body.size() ? "...>" : ">");
  }
  if (text.size() <= kShownBodyBytes) return escape_for_terminal(text);
  std::size_t end = kShownBodyBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return escape_for_terminal(text.substr(0, end)) + "... <" + std::to_string(text.size()) +
         " bytes>";
}

std::string join(const std::vector<std::string>& words, char separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

}  // namespace

std::string message_line(const client::ReceivedMessage& message) {
  std::string line = format_time_ms(message.store_timestamp_ms);
  line += "  " + escape_for_terminal(message.queue.broker_name) + "/" +
          std::to_string(message.queue.queue_id) + " @" + std::to_string(message.offset.value);
  if (!message.tag.empty()) line += "  [" + escape_for_terminal(message.tag) + "]";
  if (!message.keys.empty()) line += "  keys=" + escape_for_terminal(join(message.keys, ','));
  if (message.body_error) line += "  (" + escape_for_terminal(message.body_error->message()) + ")";
  return line + "  " + body_text(message.body);
}

Table message_table() {
  return Table({{"STORED"},
                {"BROKER"},
                {"QUEUE", Align::Right},
                {"OFFSET", Align::Right},
                {"TAG"},
                {"KEYS"},
                {"MESSAGE ID"},
                {"BORN", Align::Left, Detail::Wide},
                {"BORN HOST", Align::Left, Detail::Wide},
                {"BODY"}});
}

std::vector<std::string> message_row(const client::ReceivedMessage& message) {
  const std::string_view text = as_text(message.body);
  return {format_time_ms(message.store_timestamp_ms),
          message.queue.broker_name,
          std::to_string(message.queue.queue_id),
          std::to_string(message.offset.value),
          message.tag,
          join(message.keys, ','),
          message.message_id,
          format_time_ms(message.born_timestamp_ms),
          message.born_host,
          is_readable_text(text) ? std::string(text) : to_base64(message.body)};
}

void print_message(const client::ReceivedMessage& message, OutputFormat format, bool first,
                   Console& console) {
  if (is_for_programs(format)) return print_value(message_json(message), format, console);
  if (format == OutputFormat::Csv) {
    Table table = message_table();
    table.add_row(message_row(message));
    console.out << (first ? table.csv_header() : "") << table.csv_rows() << std::flush;
    return;
  }
  console.out << message_line(message);
  if (format == OutputFormat::Wide) console.out << "  " << escape_for_terminal(message.message_id);
  console.out << "\n" << std::flush;
}

json::Value message_json(const client::ReceivedMessage& message) {
  json::Value keys = json::Value::array();
  for (const std::string& key : message.keys) keys.push_back(key);
  json::Value properties = json::Value::object();
  for (const auto& [name, value] : message.properties) properties.set(name, value);

  json::Value out = json::Value::object();
  out.set("topic", message.queue.topic).set("broker", message.queue.broker_name);
  out.set("queue", message.queue.queue_id).set("offset", message.offset.value);
  out.set("message_id", message.message_id).set("offset_message_id", message.offset_message_id);
  out.set("tag", message.tag).set("keys", std::move(keys));
  out.set("properties", std::move(properties)).set("flag", message.flag);
  out.set("born_ms", message.born_timestamp_ms).set("born_host", message.born_host);
  out.set("stored_ms", message.store_timestamp_ms).set("store_host", message.store_host);
  out.set("reconsume_times", message.reconsume_times);
  out.set("body_bytes", message.body.size());
  const std::string_view body = as_text(message.body);
  if (is_utf8(body)) {
    out.set("body", body);
  } else {
    out.set("body_base64", to_base64(message.body));
  }
  if (message.body_error) out.set("body_error", message.body_error->message());
  return out;
}

std::optional<std::int64_t> parse_time_ms(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && (number == 0 || number >= kEpochMsMin)) return number;

  std::tm parts{};
  int millis = 0;
  int used = 0;
  const char* rest = text.c_str();
  if (std::sscanf(rest, "%4d-%2d-%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &used) !=
      3) {
    return std::nullopt;
  }
  rest += used;
  if (*rest == 'T' || *rest == ' ') {
    ++rest;
    if (std::sscanf(rest, "%2d:%2d%n", &parts.tm_hour, &parts.tm_min, &used) != 2)
      return std::nullopt;
    rest += used;
    if (*rest == ':') {
      if (std::sscanf(rest, ":%2d%n", &parts.tm_sec, &used) != 1) return std::nullopt;
      rest += used;
    }
    if (*rest == '.') {
      if (std::sscanf(rest, ".%3d%n", &millis, &used) != 1 || used != 4) return std::nullopt;
      rest += used;
    }
  }
  if (*rest == 'Z') ++rest;
  const bool in_range = parts.tm_year >= 1970 && parts.tm_mon >= 1 && parts.tm_mon <= 12 &&
                        parts.tm_mday >= 1 && parts.tm_mday <= 31 && parts.tm_hour <= 23 &&
                        parts.tm_min <= 59 && parts.tm_sec <= 59;
  if (*rest != '\0' || !in_range) return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::int64_t{timegm(&parts)} * 1000 + millis;
}

}  // namespace rmq::cli
