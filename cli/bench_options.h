// What the verbs of `rmq bench` have in common. Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/bench_report.h"
#include "cli/command.h"
#include "load/load_result.h"
#include "protocol/command.h"

namespace rmq::cli {

struct BenchOptions : CommonOptions {
  std::string topic;
  std::int32_t topics = 1;
  std::int64_t body_bytes = 128;
  std::int32_t batch = 1;
  std::int32_t connections = 16;
  std::int32_t in_flight = 32;
  std::int32_t queues = 0;
  double rate = 0;
  double duration_s = 10;
  double warm_up_s = 2;
  double ramp_up_s = 0;
  std::string tag;
  std::string header = "json";
  std::string until = "end";
  std::int32_t threads = 0;
  std::int32_t server_pid = 0;

  protocol::SerializeType type() const {
    return header == "binary" ? protocol::SerializeType::Binary : protocol::SerializeType::Json;
  }
  // Half of the machine for the load, half for the server, if both are on it.
  void set_threads();
};

void add_load_options(const Command& verb, BenchOptions& options);
// Of those that open connections of their own.
void add_connection_options(const Command& verb, BenchOptions& options);

std::chrono::milliseconds milliseconds(double seconds);
// The topic, or with --topics TOPIC-1, TOPIC-2 and so on.
std::vector<std::string> topics_of(const BenchOptions& options);
load::Window window_of(const BenchOptions& options);

// Warms up, measures, and says when it is over.
Result<> run_window(const load::Window& window, UsageMeter& meter,
                    const std::function<std::uint64_t()>& messages, Console& console);
ExitCode no_such_process(const BenchOptions& options, const Error& error, Console& console);
ExitCode finish_bench(std::string name, const BenchOptions& options, load::LoadResult result,
                      const UsageMeter& meter, Console& console);

}  // namespace rmq::cli
