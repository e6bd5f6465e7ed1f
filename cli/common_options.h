// Options that every command which talks to a cluster has.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"

namespace rmq::cli {

// Table and Wide are for people, Json and Yaml for programs, Csv for spreadsheets.
enum class OutputFormat { Table, Wide, Json, Yaml, Csv };
// Nothing when it is none of their names, "table" and so on.
std::optional<OutputFormat> parse_output_format(const std::string& text);
constexpr bool is_for_people(OutputFormat format) {
  return format == OutputFormat::Table || format == OutputFormat::Wide;
}
constexpr bool is_for_programs(OutputFormat format) {
  return format == OutputFormat::Json || format == OutputFormat::Yaml;
}

// The heading of these options in a help text.
inline constexpr const char* kCommonGroup = "Options of all commands";

inline constexpr const char* kDefaultNameServers = "127.0.0.1:9876";

struct CommonOptions {
  // "host:port[;host:port...]", as Java writes it. choose_name_servers() (contexts.h) fills it in.
  std::string namesrv = kDefaultNameServers;
  std::string namesrv_given;  // --namesrv
  std::string context;        // --context
  std::string output = "table";
  std::int64_t timeout_ms = 5000;
  std::size_t io_threads = 1;  // that the command's client works with; no option of all commands
  std::optional<double> watch_seconds;  // --watch, of verbs that only read

  OutputFormat format() const { return parse_output_format(output).value_or(OutputFormat::Table); }
  std::chrono::milliseconds timeout() const { return std::chrono::milliseconds(timeout_ms); }
};

// Adds --namesrv, --context, --output and --timeout-ms. `options` must live as long as `command`.
void add_common_options(const Command& command, CommonOptions& options);
// Only --output.
void add_output_option(const Command& command, CommonOptions& options);
void add_watch_option(const Command& command, CommonOptions& options);

// What the arguments ask for: known before they are parsed, so that a usage error comes in that
// form too.
OutputFormat format_asked_for(const std::vector<std::string>& arguments);

}  // namespace rmq::cli
