// Options that every command which talks to a cluster has.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/options.h"

namespace rmq::cli {

enum class OutputFormat { Table, Json };

struct CommonOptions {
  std::string namesrv = "127.0.0.1:9876";  // "host:port[;host:port...]", as Java writes it
  std::string output = "table";
  std::int64_t timeout_ms = 5000;
  std::size_t io_threads = 1;  // that the command's client works with; no option of all commands

  OutputFormat format() const {
    return output == "json" ? OutputFormat::Json : OutputFormat::Table;
  }
  std::chrono::milliseconds timeout() const { return std::chrono::milliseconds(timeout_ms); }
};

// Adds --namesrv (or NAMESRV_ADDR), --output and --timeout-ms. `options` must live as long as
// `command`.
void add_common_options(const Command& command, CommonOptions& options);

// Whether the arguments ask for JSON: known before they are parsed, so that a usage error comes in
// that form too.
OutputFormat format_asked_for(const std::vector<std::string>& arguments);

}  // namespace rmq::cli
