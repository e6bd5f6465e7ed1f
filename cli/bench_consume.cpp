// `rmq bench consume`: a member of a consumer group.
#include <algorithm>

#include "cli/bench.h"
#include "cli/bench_options.h"
#include "cli/topic_names.h"
#include "load/consume_load.h"

namespace rmq::cli {
namespace {

using load::LoadResult;

struct ConsumeOptions : BenchOptions {
  std::string group = "rmq_bench_consumers";
  std::string from = "latest";
  std::int32_t listeners = 4;
};

load::ConsumeLoadOptions consume_options(const ConsumeOptions& options) {
  load::ConsumeLoadOptions consume;
  consume.topics = topics_of(options);
  consume.group = options.group;
  consume.expression = options.tag.empty() ? "*" : options.tag;
  consume.listener_threads = static_cast<std::size_t>(options.listeners);
  consume.batch = static_cast<std::size_t>(options.batch);
  consume.from_first = options.from == "earliest";
  return consume;
}

ExitCode consume(const ConsumeOptions& options, Session& session, Console& console) {
  load::ConsumeLoad load(session.client(), consume_options(options));
  UsageMeter meter(options.server_pid);
  const load::Window window = window_of(options);
  const auto started = session.run<Result<>>([&] { return load.start(window); });
  if (!started) {
    return report(explain_topic_error(started.error(), "consume topic '" + options.topic + "'",
                                      options.topic, options, session),
                  options.format(), console);
  }
  const Result<> measured = run_window(
      window, meter, [&] { return load.messages(); }, console);
  session.run<void>([&] { return load.leave(); });
  LoadResult result = load.finish();
  if (!measured) return no_such_process(options, measured.error(), console);
  result.measured = window.end - window.begin;
  return finish_bench("consume", options, std::move(result), meter, console);
}

}  // namespace

void add_bench_consume(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<ConsumeOptions>(
      noun, "consume",
      "Consume as a member of a group, and say how long messages took from the log to the listener",
      "rmq bench consume Orders --group Slow --listeners 8");
  add_load_options(verb, *options);
  verb.option("--group", options->group, "The consumer group").shows_default();
  verb.option("--from", options->from, "Where a new group begins")
      .one_of({"latest", "earliest"})
      .shows_default();
  verb.option("--listeners", options->listeners, "Threads that take messages")
      .within(1, 1024)
      .type("N")
      .shows_default();
  verb.option("--batch", options->batch, "Most messages that a listener takes at once")
      .within(1, 1024)
      .type("N")
      .shows_default();
  verb.option("--tag", options->tag, "Only messages with this tag, or one of \"a || b\"");
  verb.after_parse([options = options] { options->set_threads(); });
  run_as(verb, options, console, consume);
}

}  // namespace rmq::cli
