// `rmq cluster mode`: whether slaves are waited for.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/catch_up.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "client/admin_client.h"
#include "client/client_errc.h"
#include "protocol/ha_status.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using protocol::HaStatus;

constexpr const char* kSingle = "single";
constexpr const char* kAsync = "async";
constexpr const char* kSync = "sync";

// For slaves to be in sync again.
constexpr std::chrono::duration<double> kCatchUpMax{15};
constexpr std::chrono::milliseconds kCatchUpPause{20};

struct ModeOptions : CommonOptions {
  std::string cluster;
  std::string mode;              // set
  std::string auto_failover;     // set: on, off; empty: as it is
  std::string controllers;       // set, with on
  std::int64_t min_in_sync = 0;  // set; 0: not given
  bool dry_run = false;          // set
};

// A master and its slaves, as they are.
struct BrokerSet {
  std::string cluster;
  std::string name;
  std::vector<Target> members;  // the master first
  std::vector<Result<JavaProperties>> settings;
  Result<HaStatus> ha;  // the master's

  std::string setting(std::string_view key) const {
    if (!settings.front()) return "";
    for (const auto& [name_of_setting, value] : *settings.front()) {
      if (name_of_setting == key) return value;
    }
    return "";
  }
  bool controlled() const { return setting("enableControllerMode") == "true"; }
  // Those whose automatic failover is not `on`: when a change was interrupted, not all.
  std::vector<Target> with_failover_other_than(bool on) const {
    std::vector<Target> others;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!settings[i]) continue;
      const bool is_on =
          std::ranges::find(*settings[i], JavaProperties::value_type("enableControllerMode",
                                                                     "true")) != settings[i]->end();
      if (is_on != on) others.push_back(members[i]);
    }
    return others;
  }
  bool sync() const {
    return setting("brokerRole") == "SYNC_MASTER" ||
           (controlled() && setting("allAckInSyncStateSet") == "true");
  }
  std::string mode() const {
    if (!settings.front()) return "-";
    if (sync()) return kSync;
    return members.size() > 1 ? kAsync : kSingle;
  }
  // How many have what is acknowledged, at least, the master among them.
  std::string min_in_sync() const {
    if (!sync()) return "1";
    return setting(controlled() ? "minInSyncReplicas" : "inSyncReplicas");
  }
  // Itself among them.
  std::int64_t in_sync() const {
    if (!ha) return 1;
    return 1 + std::ranges::count_if(ha->slaves, [](const auto& slave) { return slave.in_sync; });
  }
  // What could not be asked, if anything.
  const Error* failure() const {
    for (const auto& answer : settings) {
      if (!answer) return &answer.error();
    }
    return ha ? nullptr : &ha.error();
  }
};

// Those with a master.
std::vector<BrokerSet> sets_of(const protocol::ClusterInfo& info, const std::string& cluster) {
  std::vector<BrokerSet> sets;
  for (const auto& [name, data] : info.broker_addr_table) {
    if (!cluster.empty() && data.cluster != cluster) continue;
    if (data.broker_addrs.count(protocol::kMasterId) == 0) continue;
    BrokerSet set;
    set.cluster = data.cluster;
    set.name = name;
    for (const auto& [id, address] : data.broker_addrs) set.members.push_back({name, address});
    sets.push_back(std::move(set));
  }
  return sets;
}

Result<std::vector<BrokerSet>> find_sets(const ModeOptions& options, AdminClient& admin,
                                         Session& session) {
  RMQ_TRY(const protocol::ClusterInfo info,
          session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); }));
  std::vector<BrokerSet> sets = sets_of(info, options.cluster);
  if (sets.empty()) {
    return fail(client::ClientErrc::ClusterUnknown,
                options.cluster.empty() ? "there is no master" : options.cluster);
  }
  for (BrokerSet& set : sets) {
    set.settings = ask_each<JavaProperties>(set.members, session, [&](const Target& target) {
      return admin.broker_config(target.address);
    });
    set.ha =
        session.run<Result<HaStatus>>([&] { return admin.ha_status(set.members.front().address); });
  }
  return sets;
}

json::Value value_of(const BrokerSet& set) {
  json::Value value = json::Value::object();
  value.set("cluster", set.cluster).set("broker", set.name).set("mode", set.mode());
  value.set("auto_failover", set.controlled()).set("min_in_sync", set.min_in_sync());
  value.set("replicas", static_cast<std::int64_t>(set.members.size()));
  value.set("in_sync", set.in_sync()).set("master", set.members.front().address);
  return value;
}

ExitCode show_modes(const ModeOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  const auto sets = find_sets(options, admin, session);
  if (!sets) {
    return report(explain(sets.error(), "show the mode", options), options.format(), console);
  }
  Table table({{"CLUSTER"},
               {"BROKER"},
               {"MODE"},
               {"AUTO FAILOVER"},
               {"MIN IN SYNC", Align::Right},
               {"REPLICAS", Align::Right},
               {"IN SYNC", Align::Right},
               {"MASTER"}});
  json::Value list = json::Value::array();
  for (const BrokerSet& set : *sets) {
    table.add_row({set.cluster, set.name, set.mode(), set.controlled() ? "on" : "off",
                   set.min_in_sync(), std::to_string(set.members.size()),
                   std::to_string(set.in_sync()), set.members.front().address});
    list.push_back(value_of(set));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("sets", std::move(list));
  show(listing, options.format(), console);
  ExitCode code = ExitCode::Ok;
  for (const BrokerSet& set : *sets) {
    if (const Error* error = set.failure()) {
      // The table or the JSON line has shown all of them.
      code = report(explain(*error, "ask broker '" + set.name + "'", options), OutputFormat::Table,
                    console);
    }
  }
  return code;
}

// --- Setting it

// How many are to have what is acknowledged.
std::int64_t wanted_in_sync(bool controlled, const ModeOptions& options) {
  if (options.min_in_sync > 0) return options.min_in_sync;
  return controlled ? 1 : 2;
}

// Whether controllers elect the master afterwards.
bool wanted_failover(const BrokerSet& set, const ModeOptions& options) {
  return options.auto_failover.empty() ? set.controlled() : options.auto_failover == "on";
}

Failure refusal(std::string code, std::string message, std::string hint) {
  Failure failure;
  failure.code = std::move(code);
  failure.message = std::move(message);
  failure.hint = std::move(hint);
  return failure;
}

// Why a set cannot change to what is wanted.
std::optional<Failure> reason_against(const BrokerSet& set, const ModeOptions& options) {
  if (options.auto_failover == "on" && !set.controlled() && options.controllers.empty()) {
    return refusal("NO_CONTROLLER", "'" + set.name + "' has no controllers yet",
                   "Say which: --controller HOST:PORT[;...].");
  }
  if (options.mode == kSingle && set.members.size() > 1) {
    return refusal("HAS_SLAVES",
                   "'" + set.name + "' has " + std::to_string(set.members.size() - 1) +
                       " slaves, and a single master has none",
                   "Stop them first; then it is one. Their messages stay in their stores.");
  }
  if (options.mode != kSync) return std::nullopt;
  const std::int64_t wanted = wanted_in_sync(wanted_failover(set, options), options);
  if (set.in_sync() >= wanted) return std::nullopt;
  return refusal("NOT_IN_SYNC",
                 "'" + set.name + "' has " + std::to_string(set.in_sync()) + " of " +
                     std::to_string(wanted) +
                     " replicas in sync, itself among them: every send would be refused",
                 "'rmq cluster mode show' says when its slaves have caught up.");
}

JavaProperties wanted_settings(const BrokerSet& set, const ModeOptions& options) {
  const bool sync = options.mode == kSync;
  const bool controlled = wanted_failover(set, options);
  JavaProperties settings{{"brokerRole", sync ? "SYNC_MASTER" : "ASYNC_MASTER"}};
  if (controlled && !sync) settings.emplace_back("allAckInSyncStateSet", "false");
  if (sync) {
    settings.emplace_back(controlled ? "minInSyncReplicas" : "inSyncReplicas",
                          std::to_string(wanted_in_sync(controlled, options)));
  }
  return settings;
}

// Under controllers each member may be the master tomorrow, and the master of today comes last: a
// failover amid the change finds the new mode. Without them a slave stays one.
std::vector<Target> to_be_changed(const BrokerSet& set, bool controlled) {
  if (!controlled) return {set.members.front()};
  return {set.members.rbegin(), set.members.rend()};
}

// All of the set, the master first. Meanwhile it acknowledges alone: its slaves come back one by
// one.
Result<> turn_failover(const BrokerSet& set, bool on, const ModeOptions& options,
                       AdminClient& admin, Session& session) {
  const auto update = [&](const Target& target, const JavaProperties& settings) {
    return session.run<Result<>>(
        [&] { return admin.update_broker_config(target.address, settings); });
  };
  JavaProperties turn{{"enableControllerMode", on ? "true" : "false"}};
  if (on) {
    turn.emplace_back("controllerAddr", options.controllers.empty() ? set.setting("controllerAddr")
                                                                    : options.controllers);
    turn.emplace_back("brokerRole", set.sync() ? "SYNC_MASTER" : "ASYNC_MASTER");
    turn.emplace_back("minInSyncReplicas", "1");
  } else if (set.sync()) {
    for (const Target& target : to_be_changed(set, true)) {
      RMQ_CHECK(
          update(target, {{"brokerRole", "ASYNC_MASTER"}, {"allAckInSyncStateSet", "false"}}));
    }
  }
  for (const Target& target : set.with_failover_other_than(on)) RMQ_CHECK(update(target, turn));
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::duration_cast<SteadyTime::duration>(kCatchUpMax);
  const auto wanted = static_cast<std::int64_t>(set.members.size());
  BrokerSet now = set;
  do {
    std::this_thread::sleep_for(kCatchUpPause);
    now.ha =
        session.run<Result<HaStatus>>([&] { return admin.ha_status(set.members.front().address); });
  } while (now.in_sync() < wanted && std::chrono::steady_clock::now() < deadline);
  return {};
}

Result<> change(const BrokerSet& set, const ModeOptions& options, AdminClient& admin,
                Session& session, Console& console) {
  const bool controlled = wanted_failover(set, options);
  if (!set.with_failover_other_than(controlled).empty()) {
    RMQ_CHECK(turn_failover(set, controlled, options, admin, session));
  }
  const JavaProperties settings = wanted_settings(set, options);
  for (const Target& target : to_be_changed(set, controlled)) {
    RMQ_CHECK(session.run<Result<>>(
        [&] { return admin.update_broker_config(target.address, settings); }));
  }
  if (options.mode != kSync) return {};
  // What was acknowledged before is no exception when this has returned.
  return wait_for_slaves(set.members.front().address, kCatchUpMax.count(), admin, session, console);
}

std::string text_of(const JavaProperties& settings) {
  std::string text;
  for (const auto& [key, value] : settings) text += (text.empty() ? "" : " ") + key + "=" + value;
  return text;
}

ExitCode set_mode(const ModeOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  const auto sets = find_sets(options, admin, session);
  const auto fail_with = [&](const Error& why, const std::string& what) {
    return report(explain(why, what, options), options.format(), console);
  };
  if (!sets) return fail_with(sets.error(), "find the masters");
  // All of them, or none.
  for (const BrokerSet& set : *sets) {
    if (const Error* error = set.failure())
      return fail_with(*error, "ask broker '" + set.name + "'");
    if (const auto against = reason_against(set, options)) {
      return report(*against, options.format(), console);
    }
  }
  Table table({{"CLUSTER"}, {"BROKER"}, {"WAS"}, {"IS"}, {"SETTINGS"}});
  json::Value list = json::Value::array();
  for (const BrokerSet& set : *sets) {
    if (!options.dry_run) {
      if (const Result<> done = change(set, options, admin, session, console); !done) {
        return fail_with(done.error(), "change the mode of '" + set.name + "'");
      }
    }
    const JavaProperties settings = wanted_settings(set, options);
    table.add_row({set.cluster, set.name, set.mode(), options.mode, text_of(settings)});
    json::Value value = json::Value::object();
    value.set("cluster", set.cluster).set("broker", set.name);
    value.set("was", set.mode()).set("is", options.mode).set("settings", text_of(settings));
    list.push_back(std::move(value));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.note = options.dry_run ? "nothing was changed"
                                 : "until the brokers start again; for good, write these settings "
                                   "into their files, too";
  listing.value = json::Value::object();
  listing.value.set("sets", std::move(list)).set("changed", !options.dry_run);
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_cluster_mode(const Command& cluster, Console& console) {
  const Command noun = cluster.noun("mode", "Whether slaves are waited for, and take over");
  {
    const auto [verb, options] = add_verb<ModeOptions>(
        noun, "show", "Show the mode of each master and its slaves", "rmq cluster mode show");
    verb.option("--cluster", options->cluster, "Only this cluster").type("CLUSTER");
    run_as_reader(verb, options, console, show_modes);
  }
  {
    const auto [verb, options] = add_verb<ModeOptions>(
        noun, "set",
        "Change the mode while everything runs: single, async (slaves follow), or sync (a message "
        "is acknowledged when its slaves have it, too)",
        "rmq cluster mode set sync --min-in-sync 2");
    verb.option("MODE", options->mode, "single, async or sync")
        .one_of({kSingle, kAsync, kSync})
        .required();
    verb.option("--cluster", options->cluster, "Only this cluster").type("CLUSTER");
    verb.option("--min-in-sync", options->min_in_sync,
                "With fewer replicas in sync, the master among them, sends are refused (default 2; "
                "with automatic failover 1)")
        .within(1, 16)
        .type("N");
    verb.option("--auto-failover", options->auto_failover,
                "Whether controllers elect the master, and a slave takes over by itself (default: "
                "as it is)")
        .one_of({"on", "off"});
    verb.option("--controller", options->controllers,
                "The controllers, when automatic failover is to be on")
        .type("HOST:PORT[;...]");
    verb.flag("--dry-run", options->dry_run, "Only show what would change");
    run_as(verb, options, console, set_mode);
  }
}

}  // namespace rmq::cli
