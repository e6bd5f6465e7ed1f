#include "cli/bench_options.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "cli/failure.h"

namespace rmq::cli {

using load::LoadResult;
using load::Window;

namespace {

std::string number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::vector<std::pair<std::string, std::string>> settings_of(const BenchOptions& options) {
  return {{"topic", options.topic},
          {"topics", std::to_string(options.topics)},
          {"body_bytes", std::to_string(options.body_bytes)},
          {"batch", std::to_string(options.batch)},
          {"connections", std::to_string(options.connections)},
          {"in_flight", std::to_string(options.in_flight)},
          {"rate", number(options.rate)},
          {"header", options.header},
          {"io_threads", std::to_string(options.io_threads)}};
}

}  // namespace

void BenchOptions::set_threads() {
  const auto cores = static_cast<std::int32_t>(std::thread::hardware_concurrency());
  io_threads = static_cast<std::size_t>(threads > 0 ? threads : std::max(1, cores / 2));
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::vector<std::string> topics_of(const BenchOptions& options) {
  if (options.topics == 1) return {options.topic};
  std::vector<std::string> topics;
  for (std::int32_t i = 1; i <= options.topics; ++i) {
    topics.push_back(options.topic + "-" + std::to_string(i));
  }
  return topics;
}

Window window_of(const BenchOptions& options) {
  const SteadyTime begin = std::chrono::steady_clock::now() + milliseconds(options.ramp_up_s) +
                           milliseconds(options.warm_up_s);
  return {begin, begin + milliseconds(options.duration_s)};
}

ExitCode no_such_process(const BenchOptions& options, const Error& error, Console& console) {
  Failure failure = usage_failure(
      "cannot read process " + std::to_string(options.server_pid) + ": " + error.message(),
      "--server-pid takes the number of a process of this machine.");
  return report(failure, options.format(), console);
}

ExitCode finish_bench(std::string name, const BenchOptions& options, LoadResult result,
                      const UsageMeter& meter, Console& console) {
  BenchReport done{std::move(name), settings_of(options), std::move(result), meter.usage()};
  print(done, options.format(), console);
  return done.result.messages > 0 ? ExitCode::Ok : ExitCode::Refused;
}

Result<> run_window(const Window& window, UsageMeter& meter,
                    const std::function<std::uint64_t()>& messages, Console& console) {
  watch(window.begin, messages, console);
  RMQ_CHECK(meter.begin());
  watch(window.end, messages, console);
  meter.end();
  return {};
}

void add_load_options(const Command& verb, BenchOptions& options) {
  verb.option("TOPIC", options.topic, "The topic").required();
  verb.option("--topics", options.topics, "So many topics, TOPIC-1 and on, instead of one")
      .within(1, 100'000)
      .type("N")
      .shows_default();
  verb.option("--warm-up", options.warm_up_s, "Seconds before it is measured")
      .between(0, 1e6)
      .type("S")
      .shows_default();
  verb.option("--duration", options.duration_s, "Seconds that are measured")
      .between(0.1, 1e6)
      .type("S")
      .shows_default();
  verb.option("--threads", options.threads, "Threads of the load (default: half of the cores)")
      .within(1, 1024)
      .type("N");
  verb.option("--server-pid", options.server_pid,
              "A process of this machine to watch: CPU and memory")
      .positive()
      .type("PID");
}

void add_connection_options(const Command& verb, BenchOptions& options) {
  verb.option("--connections", options.connections, "Connections at a time")
      .within(1, 10'000)
      .type("N")
      .shows_default();
  verb.option("--header", options.header,
              "How requests are written: json, as Java clients do, or binary")
      .one_of({"json", "binary"})
      .type("FORM")
      .shows_default();
}

}  // namespace rmq::cli
