#include "load/process_usage.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace rmq::load {
namespace {

std::int64_t number_at(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The fields behind the process's name, which may contain anything; the first of them is "state".
std::string_view after_name(std::string_view stat) {
  const auto name_end = stat.rfind(')');
  return name_end == std::string_view::npos ? std::string_view() : stat.substr(name_end + 1);
}

std::string_view skip_fields(std::string_view text, int count) {
  for (; count > 0; --count) {
    const auto blank = text.find(' ', 1);
    if (blank == std::string_view::npos) return {};
    text.remove_prefix(blank);
  }
  return text;
}

}  // namespace

Result<ProcessUsage> process_usage(int pid) {
  const std::string directory = pid == 0 ? "/proc/self/" : "/proc/" + std::to_string(pid) + "/";
  std::ifstream stat_file(directory + "stat");
  std::string stat;
  if (!std::getline(stat_file, stat)) {
    return fail(std::make_error_code(std::errc::no_such_file_or_directory), directory + "stat");
  }
  // utime and stime are the 14th and 15th of all fields, of which two came before.
  const std::string_view times = skip_fields(after_name(stat), 11);
  const std::int64_t ticks = number_at(times) + number_at(skip_fields(times, 1));
  ProcessUsage usage;
  usage.cpu = std::chrono::microseconds(ticks * 1'000'000 / ::sysconf(_SC_CLK_TCK));
  std::ifstream status(directory + "status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kName = "RssAnon:";
    if (line.starts_with(kName)) {
      usage.memory_bytes = number_at(std::string_view(line).substr(kName.size())) * 1024;
    }
  }
  return usage;
}

}  // namespace rmq::load
