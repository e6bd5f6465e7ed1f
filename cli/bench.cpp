#include "cli/bench.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/topic_names.h"
#include "load/pull_load.h"
#include "load/send_load.h"

namespace rmq::cli {
namespace {

using load::LoadResult;
using load::PullLoad;
using load::SendLoad;
using load::Window;

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
  void set_threads() {
    const auto cores = static_cast<std::int32_t>(std::thread::hardware_concurrency());
    io_threads = static_cast<std::size_t>(threads > 0 ? threads : std::max(1, cores / 2));
  }
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// The topic, or with --topics TOPIC-1, TOPIC-2 and so on.
std::vector<std::string> topics_of(const BenchOptions& options) {
  if (options.topics == 1) return {options.topic};
  std::vector<std::string> topics;
  for (std::int32_t i = 1; i <= options.topics; ++i) {
    topics.push_back(options.topic + "-" + std::to_string(i));
  }
  return topics;
}

load::SendLoadOptions send_options(const BenchOptions& options) {
  load::SendLoadOptions send;
  send.topics = topics_of(options);
  send.shape.body_bytes = static_cast<std::size_t>(options.body_bytes);
  send.shape.batch = options.batch;
  send.shape.tag = options.tag;
  send.shape.type = options.type();
  send.connections = static_cast<std::size_t>(options.connections);
  send.in_flight = static_cast<std::size_t>(options.in_flight);
  send.queues = options.queues;
  send.rate = options.rate;
  send.ramp_up = milliseconds(options.ramp_up_s);
  send.timeout = options.timeout();
  return send;
}

load::PullLoadOptions pull_options(const BenchOptions& options) {
  load::PullLoadOptions pull;
  pull.topics = topics_of(options);
  pull.connections = static_cast<std::size_t>(options.connections);
  pull.batch = options.batch;
  pull.type = options.type();
  pull.timeout = options.timeout();
  return pull;
}

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

// Warms up, measures, and says when it is over.
Result<> run_window(const Window& window, UsageMeter& meter,
                    const std::function<std::uint64_t()>& messages, Console& console) {
  watch(window.begin, messages, console);
  RMQ_CHECK(meter.begin());
  watch(window.end, messages, console);
  meter.end();
  return {};
}

ExitCode produce(const BenchOptions& options, Session& session, Console& console) {
  SendLoad load(session.client(), send_options(options));
  const auto connected = session.run<Result<>>([&] { return load.connect(); });
  if (!connected) {
    return report(explain_topic_error(connected.error(), "send to topic '" + options.topic + "'",
                                      options.topic, options, session),
                  options.format(), console);
  }
  UsageMeter meter(options.server_pid);
  const Window window = window_of(options);
  load.start(window);
  const Result<> measured = run_window(
      window, meter, [&] { return load.messages(); }, console);
  LoadResult result = session.run<LoadResult>([&] { return load.finish(); });
  if (!measured) return no_such_process(options, measured.error(), console);
  result.measured = window.end - window.begin;
  return finish_bench("produce", options, std::move(result), meter, console);
}

ExitCode pull(const BenchOptions& options, Session& session, Console& console) {
  load::PullLoadOptions wanted = pull_options(options);
  const bool to_end = options.until == "end";
  wanted.until = to_end ? load::PullUntil::End : load::PullUntil::Stopped;
  PullLoad load(session.client(), std::move(wanted));
  const auto connected = session.run<Result<>>([&] { return load.connect(); });
  if (!connected) {
    return report(explain_topic_error(connected.error(), "read topic '" + options.topic + "'",
                                      options.topic, options, session),
                  options.format(), console);
  }
  UsageMeter meter(options.server_pid);
  Window window = window_of(options);
  Result<> measured;
  if (to_end) {
    window = {std::chrono::steady_clock::now(), SteadyTime::max()};
    measured = meter.begin();
    load.start(window);
    session.run<bool>([&] { return load.read_to_end(SteadyTime::max()); });
    meter.end();
    window.end = std::chrono::steady_clock::now();
  } else {
    load.start(window);
    measured = run_window(
        window, meter, [&] { return load.messages(); }, console);
  }
  LoadResult result = session.run<LoadResult>([&] { return load.finish(); });
  if (!measured) return no_such_process(options, measured.error(), console);
  result.measured = window.end - window.begin;
  return finish_bench("pull", options, std::move(result), meter, console);
}

// Waits until all that was acknowledged has come; how many messages have not, within `timeout`.
std::uint64_t wait_received(const SendLoad& sends, const PullLoad& pulls,
                            std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  while (pulls.messages() < sends.messages() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return sends.messages() - std::min(sends.messages(), pulls.messages());
}

// Sends at a rate, receives by long polls, and measures from when a message was due to be sent.
ExitCode end_to_end(const BenchOptions& options, Session& session, Console& console) {
  load::PullLoadOptions wanted = pull_options(options);
  wanted.until = load::PullUntil::Follow;
  wanted.from_end = true;
  wanted.batch = 32;
  wanted.end_to_end = true;
  SendLoad sends(session.client(), send_options(options));
  PullLoad pulls(session.client(), std::move(wanted));
  auto connected = session.run<Result<>>([&] { return pulls.connect(); });
  if (connected) {
    connected = session.run<Result<>>([&] { return sends.connect(); });
    if (!connected) session.run<LoadResult>([&] { return pulls.finish(); });
  }
  if (!connected) {
    return report(explain_topic_error(connected.error(), "use topic '" + options.topic + "'",
                                      options.topic, options, session),
                  options.format(), console);
  }
  UsageMeter meter(options.server_pid);
  const Window window = window_of(options);
  pulls.start(window);
  sends.start(window);
  const Result<> measured = run_window(
      window, meter, [&] { return pulls.messages(); }, console);
  const LoadResult sent = session.run<LoadResult>([&] { return sends.finish(); });
  const std::uint64_t lost = wait_received(sends, pulls, options.timeout());
  LoadResult result = session.run<LoadResult>([&] { return pulls.finish(); });
  if (!measured) return no_such_process(options, measured.error(), console);
  result.measured = window.end - window.begin;
  if (lost > 0) result.errors["acknowledged, but not received"] += lost;
  for (const auto& [what, count] : sent.errors) result.errors["send: " + what] += count;
  return finish_bench("e2e", options, std::move(result), meter, console);
}

void add_load_options(const Command& verb, BenchOptions& options) {
  verb.option("TOPIC", options.topic, "The topic").required();
  verb.option("--topics", options.topics, "So many topics, TOPIC-1 and on, instead of one")
      .within(1, 100'000)
      .type("N")
      .shows_default();
  verb.option("--connections", options.connections, "Connections at a time")
      .within(1, 10'000)
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
  verb.option("--header", options.header,
              "How requests are written: json, as Java clients do, or binary")
      .one_of({"json", "binary"})
      .type("FORM")
      .shows_default();
  verb.option("--threads", options.threads, "Threads of the load (default: half of the cores)")
      .within(1, 1024)
      .type("N");
  verb.option("--server-pid", options.server_pid,
              "A process of this machine to watch: CPU and memory")
      .positive()
      .type("PID");
}

void add_send_options(const Command& verb, BenchOptions& options) {
  verb.option("--body-bytes", options.body_bytes, "Length of each body")
      .within(1, 4 * 1024 * 1024)
      .type("N")
      .shows_default();
  verb.option("--in-flight", options.in_flight, "Requests without an answer on each connection")
      .within(1, 100'000)
      .type("N")
      .shows_default();
  verb.option("--queues", options.queues, "Only the first N queues of each topic on each broker")
      .positive()
      .type("N");
  verb.option("--ramp-up", options.ramp_up_s, "Seconds until the last connection begins")
      .between(0, 1e6)
      .type("S");
  verb.option("--tag", options.tag, "A tag for all messages");
}

void add_produce(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<BenchOptions>(
      noun, "produce", "Send as fast as answers come, or at a rate, and say how long answers took",
      "rmq bench produce Orders --body-bytes 1024 --rate 30000");
  add_load_options(verb, *options);
  add_send_options(verb, *options);
  verb.option("--batch", options->batch, "Messages in one request")
      .within(1, 10'000)
      .type("N")
      .shows_default();
  verb.option("--rate", options->rate,
              "Messages a second, sent when they are due, whatever becomes of those before")
      .between(0, 1e8)
      .type("N");
  verb.after_parse([options = options] { options->set_threads(); });
  run_as(verb, options, console, produce);
}

void add_pull(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<BenchOptions>(
      noun, "pull", "Read all messages of a topic as fast as they come; nothing is consumed by it",
      "rmq bench pull Orders --connections 4");
  options->connections = 1;
  options->batch = 32;
  add_load_options(verb, *options);
  verb.option("--batch", options->batch, "Most messages of one answer")
      .within(1, 10'000)
      .type("N")
      .shows_default();
  verb.option("--until", options->until,
              "end: once to the present end; stopped: again and again for --duration")
      .one_of({"end", "stopped"})
      .shows_default();
  verb.after_parse([options = options] { options->set_threads(); });
  run_as(verb, options, console, pull);
}

void add_e2e(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<BenchOptions>(
      noun, "e2e", "Send at a rate, receive, and say how long messages took from one to the other",
      "rmq bench e2e Orders --rate 1000");
  options->rate = 1000;
  options->connections = 4;
  add_load_options(verb, *options);
  add_send_options(verb, *options);
  verb.option("--rate", options->rate, "Messages a second")
      .between(0.1, 1e8)
      .type("N")
      .shows_default();
  verb.after_parse([options = options] { options->set_threads(); });
  run_as(verb, options, console, end_to_end);
}

}  // namespace

void add_bench_commands(const Command& root, Console& console) {
  const Command noun = root.noun("bench", "Load on a server, and how it takes it");
  add_produce(noun, console);
  add_pull(noun, console);
  add_e2e(noun, console);
  add_bench_compare(noun, console);
}

}  // namespace rmq::cli
