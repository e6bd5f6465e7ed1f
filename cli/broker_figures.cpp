#include "cli/broker_figures.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "cli/render.h"

namespace rmq::cli {
namespace {

using protocol::KVTable;

constexpr const char* kUnknown = "-";

std::string text_of(const KVTable& info, const std::string& name) {
  const auto found = info.table.find(name);
  return found == info.table.end() || found->second.empty() ? kUnknown : found->second;
}

std::string time_of(const KVTable& info, const std::string& name) {
  const auto ms = figure_as_int(info, name);
  return ms && *ms > 0 ? format_time_ms(*ms) : kUnknown;
}

// Java writes its three rates with up to fifteen digits.
std::string rates_of(const KVTable& info, const std::string& name) {
  std::array<double, 3> rates{};
  const std::string text = text_of(info, name);
  if (std::sscanf(text.c_str(), "%lf %lf %lf", &rates[0], &rates[1], &rates[2]) != 3) return text;
  std::array<char, 96> out{};
  std::snprintf(out.data(), out.size(), "%.1f  %.1f  %.1f", rates[0], rates[1], rates[2]);
  return out.data();
}

std::string bytes_text(double bytes) {
  static constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return out.data();
}

// From one counter to another.
std::string difference(const KVTable& info, const std::string& from, const std::string& to) {
  const auto begin = figure_as_int(info, from);
  const auto end = figure_as_int(info, to);
  return begin && end ? std::to_string(*end - *begin) : kUnknown;
}

std::string log_of(const KVTable& info) {
  const auto begin = figure_as_int(info, "commitLogMinOffset");
  const auto end = figure_as_int(info, "commitLogMaxOffset");
  if (!begin || !end) return kUnknown;
  return bytes_text(static_cast<double>(*end - *begin)) + " (" + std::to_string(*begin) + " to " +
         std::to_string(*end) + ")";
}

std::string bytes_of(const KVTable& info, const std::string& name) {
  const auto bytes = figure_as_int(info, name);
  return bytes ? bytes_text(static_cast<double>(*bytes)) : kUnknown;
}

std::string percent_of(const KVTable& info, const std::string& name) {
  double ratio = 0;
  const std::string text = text_of(info, name);
  if (std::sscanf(text.c_str(), "%lf", &ratio) != 1 || ratio < 0) return kUnknown;
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.1f %%", ratio * 100);
  return out.data();
}

}  // namespace

std::optional<std::int64_t> figure_as_int(const KVTable& info, const std::string& name) {
  const auto found = info.table.find(name);
  if (found == info.table.end()) return std::nullopt;
  const std::string& text = found->second;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::pair<std::string, std::string>> readable_figures(const KVTable& info) {
  return {
      {"version", text_of(info, "brokerVersionDesc")},
      {"running since", time_of(info, "bootTimestamp")},
      {"messages in per second, of 10 s, 1 min, 10 min", rates_of(info, "putTps")},
      {"messages out per second, likewise", rates_of(info, "getTransferredTps")},
      {"pulls that found some per second, likewise", rates_of(info, "getFoundTps")},
      {"pulls that found none per second, likewise", rates_of(info, "getMissTps")},
      {"messages in since the start", text_of(info, "putMessageTimesTotal")},
      {"messages in today", difference(info, "msgPutTotalTodayMorning", "msgPutTotalTodayNow")},
      {"messages in yesterday",
       difference(info, "msgPutTotalYesterdayMorning", "msgPutTotalTodayMorning")},
      {"messages out today", difference(info, "msgGetTotalTodayMorning", "msgGetTotalTodayNow")},
      {"bytes of a message, on average", text_of(info, "putMessageAverageSize")},
      {"log", log_of(info)},
      {"oldest message", time_of(info, "earliestMessageTimeStamp")},
      {"not on disk yet", text_of(info, "remainHowManyDataToFlush")},
      {"not visible to consumers yet", bytes_of(info, "dispatchBehindBytes")},
      {"disk of the log in use", percent_of(info, "commitLogDiskRatio")},
      {"disk of the log", text_of(info, "commitLogDirCapacity")}};
}

}  // namespace rmq::cli
