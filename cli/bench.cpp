#include "cli/bench.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/bench_options.h"
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
  add_connection_options(verb, *options);
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
  add_connection_options(verb, *options);
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
  add_connection_options(verb, *options);
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
  add_bench_consume(noun, console);
  add_e2e(noun, console);
  add_bench_compare(noun, console);
}

}  // namespace rmq::cli
