#include "cli/common_options.h"

#include <array>
#include <utility>

namespace rmq::cli {
namespace {

constexpr double kWatchSecondsMin = 0.1;
constexpr double kWatchSecondsMax = 86'400;

constexpr std::array<std::pair<const char*, OutputFormat>, 5> kFormats{
    {{"table", OutputFormat::Table},
     {"wide", OutputFormat::Wide},
     {"json", OutputFormat::Json},
     {"yaml", OutputFormat::Yaml},
     {"csv", OutputFormat::Csv}}};

}  // namespace

std::optional<OutputFormat> parse_output_format(const std::string& text) {
  for (const auto& [name, format] : kFormats) {
    if (text == name) return format;
  }
  return std::nullopt;
}

void add_output_option(const Command& command, CommonOptions& options) {
  std::vector<std::string> names;
  for (const auto& [name, format] : kFormats) names.emplace_back(name);
  command
      .option("--output", options.output,
              "table or wide for people, json or yaml for programs, csv for spreadsheets")
      .one_of(names)
      .type("FORMAT")
      .shows_default()
      .in_group(kCommonGroup);
}

void add_common_options(const Command& command, CommonOptions& options) {
  command
      .option("--namesrv", options.namesrv_given,
              "Name servers, as host:port[;host:port...] (else: --context, NAMESRV_ADDR, the "
              "current context, 127.0.0.1:9876)")
      .type("ADDR")
      .in_group(kCommonGroup);
  command.option("--context", options.context, "The cluster that 'rmq context set' gave this name")
      .type("NAME")
      .in_group(kCommonGroup);
  add_output_option(command, options);
  command.option("--timeout-ms", options.timeout_ms, "Longest wait for one answer")
      .within(1, 600'000)
      .type("MS")
      .shows_default()
      .in_group(kCommonGroup);
}

void add_watch_option(const Command& command, CommonOptions& options) {
  command
      .option("--watch", options.watch_seconds,
              "Again and again, every so many seconds; write --watch=S before other words")
      .between(kWatchSecondsMin, kWatchSecondsMax)
      .type("S")
      .value_may_be_left_out("2");
}

OutputFormat format_asked_for(const std::vector<std::string>& arguments) {
  constexpr std::string_view kOption = "--output";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--") break;
    std::string value;
    if (word == kOption && i + 1 < arguments.size()) value = arguments[i + 1];
    if (word.starts_with(std::string(kOption) + "=")) value = word.substr(kOption.size() + 1);
    if (const auto format = parse_output_format(value)) return *format;
  }
  return OutputFormat::Table;
}

}  // namespace rmq::cli
