#include "cli/common_options.h"

#include <CLI/CLI.hpp>

namespace rmq::cli {

void add_common_options(CLI::App& command, CommonOptions& options) {
  command.add_option("--namesrv", options.namesrv, "Name servers, as host:port[;host:port...]")
      ->envname("NAMESRV_ADDR")
      ->type_name("ADDR")
      ->capture_default_str();
  command.add_option("--output", options.output, "table for people, json for programs")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command.add_option("--timeout-ms", options.timeout_ms, "Longest wait for one answer")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{600'000}))
      ->type_name("MS")
      ->capture_default_str();
}

OutputFormat format_asked_for(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") break;
    if (arguments[i] == "--output=json") return OutputFormat::Json;
    if (arguments[i] == "--output" && i + 1 < arguments.size() && arguments[i + 1] == "json") {
      return OutputFormat::Json;
    }
  }
  return OutputFormat::Table;
}

}  // namespace rmq::cli
