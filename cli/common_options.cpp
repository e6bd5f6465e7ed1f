#include "cli/common_options.h"

namespace rmq::cli {

void add_common_options(const Command& command, CommonOptions& options) {
  command.option("--namesrv", options.namesrv, "Name servers, as host:port[;host:port...]")
      .from_environment("NAMESRV_ADDR")
      .type("ADDR")
      .shows_default();
  command.option("--output", options.output, "table for people, json for programs")
      .one_of({"table", "json"})
      .type("FORMAT")
      .shows_default();
  command.option("--timeout-ms", options.timeout_ms, "Longest wait for one answer")
      .within(1, 600'000)
      .type("MS")
      .shows_default();
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
