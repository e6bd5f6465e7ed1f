// `rmq route watch`: the changes of a topic's route, as they happen.
#include <ostream>
#include <thread>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/route.h"
#include "cli/route_changes.h"
#include "client/admin_client.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using protocol::ResponseCode;
using protocol::TopicRouteData;

struct WatchOptions : CommonOptions {
  std::string topic;
  double every_s = 1;
  std::optional<std::int64_t> count;
  std::optional<double> limit_s;
};

// Prints lines; the first row of a CSV file has the names.
class ChangePrinter {
 public:
  ChangePrinter(const WatchOptions& options, Console& console)
      : options_(options), console_(console) {}

  // False when --count is reached.
  bool print(const RouteChange& change) {
    const std::int64_t now = Clock::system().now_ms();
    const OutputFormat format = options_.format();
    if (is_for_programs(format)) {
      json::Value value = json::Value::object();
      value.set("time_ms", now).set("topic", options_.topic).set("broker", change.broker);
      value.set("what", change.what).set("before", change.before).set("after", change.after);
      print_value(value, format, console_);
    } else if (format == OutputFormat::Csv) {
      Table table({{"TIME"}, {"TOPIC"}, {"BROKER"}, {"WHAT"}, {"BEFORE"}, {"AFTER"}});
      table.add_row({format_time_ms(now), options_.topic, change.broker, change.what, change.before,
                     change.after});
      console_.out << (count_ == 0 ? table.csv_header() : "") << table.csv_rows() << std::flush;
    } else {
      say(format_time_ms(now) + "  " + change_line(change), format, console_);
    }
    ++count_;
    return !options_.count || count_ < *options_.count;
  }

 private:
  const WatchOptions& options_;
  Console& console_;
  std::int64_t count_ = 0;
};

// Nothing for a topic without a route. Errors: all others.
Result<std::optional<TopicRouteData>> ask_route(const WatchOptions& options, Session& session) {
  client::AdminClient admin(session.client(), options.timeout());
  auto route = session.run<Result<TopicRouteData>>([&] { return admin.route(options.topic); });
  if (route) return std::optional(std::move(*route));
  if (route.error().code == ResponseCode::TopicNotExist) return std::optional<TopicRouteData>();
  return fail(std::move(route.error()));
}

ExitCode watch_route(const WatchOptions& options, Session& session, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::duration<double> pause(options.every_s);
  ChangePrinter printer(options, console);
  std::optional<TopicRouteData> known;
  std::string trouble;  // what was said last
  for (bool first = true;; first = false) {
    auto route = ask_route(options, session);
    if (!route && first) {
      const std::string task = "watch the route of topic '" + options.topic + "'";
      return report(explain(route.error(), task, options), options.format(), console);
    }
    if (!route && route.error().message() != trouble) {
      trouble = route.error().message();
      console.err << "rmq: " << escape_for_terminal(trouble) << "; trying again\n";
    }
    if (route) {
      trouble.clear();
      for (const RouteChange& change : compare_routes(known, *route)) {
        if (!printer.print(change)) return ExitCode::Ok;
      }
      known = std::move(*route);
      if (first && !known)
        say("topic " + options.topic + " has no route yet", options.format(), console);
    }
    const std::chrono::duration<double> past = std::chrono::steady_clock::now() - begin;
    if (options.limit_s && past + pause > std::chrono::duration<double>(*options.limit_s)) {
      return ExitCode::Ok;
    }
    if (!console.out.good()) return ExitCode::Ok;  // whoever read it has left
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

void add_route_watch(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<WatchOptions>(
      noun, "watch", "Show what a topic's route is, and each change of it as it happens",
      "rmq route watch Orders --every 0.5");
  verb.option("TOPIC", options->topic, "The topic; it need not exist yet").required();
  verb.option("--every", options->every_s, "Seconds from one look to the next")
      .between(0.01, 86'400)
      .type("S")
      .shows_default();
  verb.option("--count", options->count, "Stop after so many lines").positive().type("N");
  verb.option("--timeout", options->limit_s, "Stop after so many seconds")
      .between(0.001, 1e9)
      .type("S");
  run_as(verb, options, console, watch_route);
}

}  // namespace rmq::cli
