// What a benchmark prints: a line a second while it runs, and its result.
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/command_line.h"
#include "cli/common_options.h"
#include "load/load_result.h"
#include "load/process_usage.h"

namespace rmq::cli {

// What the server's process used between two moments.
struct ServerUsage {
  std::chrono::microseconds cpu{0};
  std::int64_t memory_bytes = 0;
};

// Samples a process, when there is one to sample.
class UsageMeter {
 public:
  // 0: none.
  explicit UsageMeter(int pid) : pid_(pid) {}
  // Errors: of /proc.
  Result<> begin();
  void end();
  const std::optional<ServerUsage>& usage() const { return usage_; }

 private:
  int pid_;
  load::ProcessUsage before_;
  std::optional<ServerUsage> usage_;
};

// Waits until `until`, printing once a second how many messages there were in it.
void watch(SteadyTime until, const std::function<std::uint64_t()>& messages, Console& console);

struct BenchReport {
  std::string name;  // "produce"
  // The settings, in order, as they are printed.
  std::vector<std::pair<std::string, std::string>> settings;
  load::LoadResult result;
  std::optional<ServerUsage> server;
};

json::Value to_json(const BenchReport& report);
void print(const BenchReport& report, OutputFormat format, Console& console);

}  // namespace rmq::cli
