#include "cli/bench_report.h"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <thread>

#include "cli/output.h"

namespace rmq::cli {
namespace {

struct Percentile {
  const char* title;
  const char* key;
  double percent;
};
constexpr Percentile kPercentiles[] = {
    {"P50", "p50", 50}, {"P90", "p90", 90}, {"P99", "p99", 99}, {"P99.9", "p99_9", 99.9}};

double microseconds(std::chrono::nanoseconds value) {
  return std::chrono::duration<double, std::micro>(value).count();
}

// Three digits that matter: "0.084", "3.27", "118".
std::string three_digits(double value) {
  const int decimals = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

double mebibytes(double bytes) { return bytes / (1024 * 1024); }

double cpu_per_message(const BenchReport& report) {
  const auto messages = static_cast<double>(std::max<std::uint64_t>(1, report.result.messages));
  return static_cast<double>(report.server->cpu.count()) / messages;
}

}  // namespace

Result<> UsageMeter::begin() {
  if (pid_ == 0) return {};
  RMQ_TRY(before_, load::process_usage(pid_));
  return {};
}

void UsageMeter::end() {
  if (pid_ == 0) return;
  if (const auto after = load::process_usage(pid_)) {
    usage_ = ServerUsage{after->cpu - before_.cpu, after->memory_bytes};
  }
}

void watch(SteadyTime until, const std::function<std::uint64_t()>& messages, Console& console) {
  const bool terminal = console.err_is_terminal;
  std::uint64_t before = messages();
  int seconds = 0;
  for (SteadyTime next = std::chrono::steady_clock::now() + std::chrono::seconds(1); next < until;
       next += std::chrono::seconds(1)) {
    std::this_thread::sleep_until(next);
    const std::uint64_t now = messages();
    console.err << (terminal ? "\r" : "") << ++seconds << " s  " << now - before << " messages/s "
                << (terminal ? "  " : "\n") << std::flush;
    before = now;
  }
  std::this_thread::sleep_until(until);
  if (terminal && seconds > 0) console.err << "\n";
}

json::Value to_json(const BenchReport& report) {
  const load::LoadResult& result = report.result;
  json::Value value = json::Value::object();
  value.set("bench", report.name);
  json::Value settings = json::Value::object();
  for (const auto& [name, text] : report.settings) settings.set(name, text);
  value.set("settings", std::move(settings));
  value.set("seconds", std::chrono::duration<double>(result.measured).count());
  value.set("requests", result.requests).set("messages", result.messages);
  value.set("bytes", result.bytes).set("messages_per_second", result.messages_per_second());
  json::Value latency = json::Value::object();
  latency.set("count", result.latency.count());
  latency.set("mean", microseconds(result.latency.mean()));
  for (const Percentile& p : kPercentiles) {
    latency.set(p.key, microseconds(result.latency.percentile(p.percent)));
  }
  latency.set("max", microseconds(result.latency.max()));
  value.set("latency_us", std::move(latency));
  json::Value errors = json::Value::object();
  for (const auto& [what, count] : result.errors) errors.set(what, count);
  value.set("errors", std::move(errors));
  if (report.server) {
    json::Value server = json::Value::object();
    server.set("cpu_seconds", std::chrono::duration<double>(report.server->cpu).count());
    server.set("cpu_us_per_message", cpu_per_message(report));
    server.set("memory_bytes", report.server->memory_bytes);
    value.set("server", std::move(server));
  }
  return value;
}

void print(const BenchReport& report, OutputFormat format, Console& console) {
  const load::LoadResult& result = report.result;
  const double seconds = std::max(1e-9, std::chrono::duration<double>(result.measured).count());
  Table table({{"BENCH"},
               {"MESSAGES/S", Align::Right},
               {"MIB/S", Align::Right},
               {"P50 MS", Align::Right},
               {"P90", Align::Right},
               {"P99", Align::Right},
               {"P99.9", Align::Right},
               {"MAX", Align::Right}});
  std::vector<std::string> row{
      report.name, std::to_string(static_cast<std::uint64_t>(result.messages_per_second())),
      three_digits(mebibytes(static_cast<double>(result.bytes)) / seconds)};
  for (const Percentile& p : kPercentiles) {
    row.push_back(three_digits(microseconds(result.latency.percentile(p.percent)) / 1000));
  }
  row.push_back(three_digits(microseconds(result.latency.max()) / 1000));
  table.add_row(std::move(row));
  Listing listing;
  listing.tables.push_back(std::move(table));
  if (report.server) {
    const auto memory = static_cast<double>(report.server->memory_bytes);
    listing.note = "server: " + three_digits(cpu_per_message(report)) + " us CPU a message, " +
                   three_digits(mebibytes(memory)) + " MiB";
  }
  listing.value = to_json(report);
  show(listing, format, console);
  if (is_for_programs(format)) return;
  for (const auto& [what, count] : result.errors) {
    console.err << "rmq: " << count << " requests: " << what << "\n";
  }
}

}  // namespace rmq::cli
