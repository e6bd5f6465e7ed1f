// `rmq broker drain`: takes a broker out of the routes of producers, and waits until they have
// gone.
#include <chrono>
#include <optional>
#include <thread>

#include "cli/broker.h"
#include "cli/broker_figures.h"
#include "cli/command.h"
#include "cli/consent.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "client/client_errc.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using protocol::KVTable;

// Clients look for new routes every thirty seconds.
constexpr double kQuietSeconds = 40;

struct DrainOptions : CommonOptions {
  std::string broker;
  double quiet_s = kQuietSeconds;
  double wait_s = 600;
  bool no_wait = false;
  bool undo = false;
  Consent consent;
};

// How writes ebb away.
struct Ebb {
  std::int64_t writes = 0;  // that came although producers should have gone
  bool quiet = false;
};

// Takes the permission to write, or gives it back, on every name server. The number of topics, of
// the name server that knows most.
Result<std::int32_t> set_writable(const DrainOptions& options, bool writable, AdminClient& admin,
                                  Session& session) {
  const std::vector<Target> servers = name_server_targets(session);
  const auto answers = ask_each<std::int32_t>(servers, session, [&](const Target& target) {
    return writable ? admin.add_write_perm(target.address, options.broker)
                    : admin.wipe_write_perm(target.address, options.broker);
  });
  std::int32_t topics = 0;
  for (const auto& answer : answers) {
    if (!answer) return fail(answer.error());
    topics = std::max(topics, *answer);
  }
  return topics;
}

Result<std::int64_t> count_writes(const Target& target, AdminClient& admin, Session& session) {
  RMQ_TRY(const KVTable info,
          session.run_quietly<Result<KVTable>>([&] { return admin.runtime_info(target.address); }));
  const auto count = figure_as_int(info, "putMessageTimesTotal");
  if (!count) {
    return fail(client::ClientErrc::AnswerMalformed,
                target.address + " does not say how many messages it took");
  }
  return *count;
}

Result<Ebb> wait_until_quiet(const DrainOptions& options, const Target& target, AdminClient& admin,
                             Session& session, Console& console) {
  using Seconds = std::chrono::duration<double>;
  const auto begin = std::chrono::steady_clock::now();
  auto last_write = begin;
  RMQ_TRY(const std::int64_t first, count_writes(target, admin, session));
  std::int64_t count = first;
  const Seconds pause(std::min(1.0, options.quiet_s / 4));
  Progress progress(console, "waiting until nobody writes to " + options.broker);
  for (;;) {
    std::this_thread::sleep_for(pause);
    RMQ_TRY(const std::int64_t now_count, count_writes(target, admin, session));
    const auto now = std::chrono::steady_clock::now();
    if (now_count != count) {
      count = now_count;
      last_write = now;
      // A broker that registers anew has its permission back.
      RMQ_TRY(const std::int32_t topics, set_writable(options, false, admin, session));
      progress.what(options.broker + ": " + std::to_string(count - first) +
                    " messages still came (" + std::to_string(topics) + " topics)");
    }
    if (now - last_write >= Seconds(options.quiet_s)) return Ebb{count - first, true};
    if (now - begin >= Seconds(options.wait_s)) return Ebb{count - first, false};
  }
}

Failure still_written_to(const DrainOptions& options, const Ebb& ebb) {
  Failure failure;
  failure.exit = ExitCode::Unreachable;
  failure.code = "timed out";
  failure.message = "broker '" + options.broker +
                    "' is still written to: " + std::to_string(ebb.writes) +
                    " messages came; it has no write permission now";
  failure.hint =
      "Producers with a fixed queue, retries of consumers and delayed messages still write. Wait "
      "longer with --wait, or give the permission back with --undo.";
  return failure;
}

Listing listing_of(const DrainOptions& options, std::int32_t topics,
                   const std::optional<Ebb>& ebb) {
  const std::string state = options.undo      ? "takes writes again"
                            : options.no_wait ? "draining"
                                              : "safe to stop";
  Table table({{"BROKER"}, {"TOPICS", Align::Right}, {"LATE WRITES", Align::Right}, {"STATE"}});
  table.add_row(
      {options.broker, std::to_string(topics), ebb ? std::to_string(ebb->writes) : "-", state});
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("broker", options.broker).set("topics", topics).set("state", state);
  if (ebb) listing.value.set("late_writes", ebb->writes).set("safe_to_stop", ebb->quiet);
  return listing;
}

ExitCode drain_broker(const DrainOptions& options, Session& session, Console& console) {
  const std::string task = (options.undo ? "give back the write permission of broker '"
                                         : "take the write permission of broker '") +
                           options.broker + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto fail_with = [&](const Error& error) {
    return report(explain(error, task, options), options.format(), console);
  };
  if (options.broker.find(':') != std::string::npos) {
    return report(usage_failure("'" + options.broker + "' is an address",
                                "Name servers know brokers by their names: 'rmq cluster status'."),
                  options.format(), console);
  }
  const auto targets = find_targets(options.broker, "", admin, session);
  if (!targets) return fail_with(targets.error());
  const auto refusal = ask_consent(options.consent,
                                   task + " on " + names_of(name_server_targets(session)) +
                                       (options.undo ? "" : ", so that producers leave it"),
                                   options.broker, options.format(), console);
  if (refusal) return *refusal;
  const auto topics = set_writable(options, options.undo, admin, session);
  if (!topics) return fail_with(topics.error());
  std::optional<Ebb> ebb;
  if (!options.undo && !options.no_wait) {
    const auto waited = wait_until_quiet(options, targets->front(), admin, session, console);
    if (!waited) return fail_with(waited.error());
    if (!waited->quiet) {
      return report(still_written_to(options, *waited), options.format(), console);
    }
    ebb = *waited;
  }
  show(listing_of(options, *topics, ebb), options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_broker_drain(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<DrainOptions>(
      noun, "drain",
      "Take a broker out of the routes of producers, and wait until it is safe to stop it",
      "rmq broker drain broker-a --yes");
  verb.option("BROKER", options->broker, "The broker's name").required();
  verb.option("--quiet", options->quiet_s,
              "It is safe when no message came for so many seconds; clients look for new routes "
              "every 30 s")
      .between(0.05, 86'400)
      .type("S")
      .shows_default();
  verb.option("--wait", options->wait_s, "Longest wait in seconds")
      .between(0.05, 86'400)
      .type("S")
      .shows_default();
  const Option no_wait =
      verb.flag("--no-wait", options->no_wait, "Only take the permission, do not wait");
  verb.flag("--undo", options->undo, "Give the permission back").excludes(no_wait);
  add_consent_options(verb, options->consent);
  run_as(verb, options, console, drain_broker);
}

}  // namespace rmq::cli
