// `rmq broker promote` and `remove`: replicas of a broker set under controllers.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/broker.h"
#include "cli/catch_up.h"
#include "cli/command.h"
#include "cli/consent.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "client/client_errc.h"
#include "client/controller_client.h"
#include "client/name_servers.h"
#include "net/net_errc.h"
#include "protocol/ha_status.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using client::ControllerClient;
using protocol::HaStatus;
using protocol::ReplicasOfSet;
using protocol::ReplicasOfSets;
using protocol::ReplicaState;

constexpr std::uint16_t kControllerPort = 9878;

struct ReplicaOptions : CommonOptions {
  std::string broker;
  std::int64_t id = 0;      // 0: not given
  double wait_s = 30;       // promote
  bool even_alive = false;  // remove
  Consent consent;
};

// A broker set and its controllers.
struct ReplicaSet {
  std::string name;
  std::string cluster;
  std::vector<std::string> controllers;
  bool sync = false;  // sends wait for its SyncStateSet
  ReplicasOfSet replicas;

  std::vector<ReplicaState> all() const {
    std::vector<ReplicaState> all = replicas.in_sync;
    all.insert(all.end(), replicas.not_in_sync.begin(), replicas.not_in_sync.end());
    return all;
  }
};

std::string value_of(const JavaProperties& settings, std::string_view key) {
  for (const auto& [name, value] : settings) {
    if (name == key) return value;
  }
  return "";
}

// Asks the broker for its controllers, and those for the set.
Result<ReplicaSet> find_set(const ReplicaOptions& options, AdminClient& admin, Session& session) {
  RMQ_TRY(const std::vector<Target> targets, find_targets(options.broker, "", admin, session));
  RMQ_TRY(const JavaProperties settings, session.run<Result<JavaProperties>>([&] {
    return admin.broker_config(targets.front().address);
  }));
  ReplicaSet set;
  set.name = value_of(settings, "brokerName");
  set.cluster = value_of(settings, "brokerClusterName");
  if (value_of(settings, "enableControllerMode") != "true") {
    return fail(client::ClientErrc::BrokerUnknown,
                "'" + set.name + "' has no controller, which alone can say who is its master");
  }
  set.sync = value_of(settings, "brokerRole") == "SYNC_MASTER" ||
             value_of(settings, "allAckInSyncStateSet") == "true";
  RMQ_TRY(set.controllers,
          client::parse_server_addresses(value_of(settings, "controllerAddr"), kControllerPort));
  ControllerClient client(session.client(), set.controllers, options.timeout());
  RMQ_TRY(ReplicasOfSets sets,
          session.run<Result<ReplicasOfSets>>([&] { return client.sets({set.name}); }));
  const auto found = sets.find(set.name);
  if (found == sets.end()) {
    return fail(client::ClientErrc::BrokerUnknown,
                "its controllers do not know the broker '" + set.name + "'");
  }
  set.replicas = std::move(found->second);
  return set;
}

// The replica that is meant: by --id, by its address, or the only one in sync that is not master.
Result<ReplicaState> find_replica(const ReplicaOptions& options, const ReplicaSet& set) {
  std::vector<ReplicaState> found;
  for (const ReplicaState& replica : set.all()) {
    const bool by_address = options.broker.find(':') != std::string::npos;
    if (options.id > 0 ? replica.id == options.id
        : by_address   ? replica.address == options.broker
                       : replica.id != set.replicas.master_id) {
      found.push_back(replica);
    }
  }
  if (found.size() == 1) return found.front();
  return fail(client::ClientErrc::BrokerUnknown,
              found.empty() ? "'" + set.name + "' has no such replica"
                            : "'" + set.name + "' has several; say which one with --id");
}

Failure refusal(const Error& error, const std::string& task, const ReplicaOptions& options) {
  Failure failure = explain(error, task, options);
  if (error.code == client::ClientErrc::BrokerUnknown) {
    failure.hint = "'rmq controller status' shows the replicas of each broker.";
  }
  return failure;
}

// --- promote

Result<> set_role(const std::string& address, bool sync, AdminClient& admin, Session& session) {
  const JavaProperties settings{{"brokerRole", sync ? "SYNC_MASTER" : "ASYNC_MASTER"}};
  return session.run<Result<>>([&] { return admin.update_broker_config(address, settings); });
}

Result<> wait_until_slave(const std::string& broker, const ReplicaOptions& options,
                          AdminClient& admin, Session& session) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.wait_s);
  for (;;) {
    RMQ_TRY(const HaStatus now,
            session.run_quietly<Result<HaStatus>>([&] { return admin.ha_status(broker); }));
    if (!now.is_master) return {};
    if (std::chrono::steady_clock::now() > end) {
      return fail(net::NetErrc::TimedOut,
                  broker + " does not hear of its successor; it stays synchronous");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// An asynchronous master is synchronous meanwhile: what it acknowledges its successor has.
Result<client::ElectedMaster> hand_over(const ReplicaSet& set, const ReplicaState& to,
                                        const ReplicaOptions& options, AdminClient& admin,
                                        Session& session, Console& console) {
  const std::string master = set.replicas.master_address;
  const bool made_sync = !set.sync && !master.empty();
  if (made_sync) {
    RMQ_CHECK(set_role(master, true, admin, session));
  }
  const auto elect = [&]() -> Result<client::ElectedMaster> {
    if (!master.empty()) {
      RMQ_CHECK(wait_for_slaves(master, options.wait_s, admin, session, console));
    }
    ControllerClient client(session.client(), set.controllers, options.timeout());
    return session.run<Result<client::ElectedMaster>>(
        [&] { return client.elect(set.cluster, set.name, to.id); });
  };
  const Result<client::ElectedMaster> elected = elect();
  if (made_sync) {
    // Not before it knows of its successor: it would acknowledge what that one does not have.
    if (elected && elected->address != master) {
      RMQ_CHECK(wait_until_slave(master, options, admin, session));
    }
    RMQ_CHECK(set_role(master, false, admin, session));
  }
  return elected;
}

ExitCode promote(const ReplicaOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  const std::string task = "make a replica of '" + options.broker + "' master";
  const auto fail_with = [&](const Error& why) {
    return report(refusal(why, task, options), options.format(), console);
  };
  const auto set = find_set(options, admin, session);
  if (!set) return fail_with(set.error());
  const auto replica = find_replica(options, *set);
  if (!replica) return fail_with(replica.error());
  const std::string what = "make replica " + std::to_string(replica->id) + " of '" + set->name +
                           "', " + replica->address + ", master";
  if (const auto stop = ask_consent(options.consent, what, set->name, options.format(), console)) {
    return *stop;
  }
  const auto elected = hand_over(*set, *replica, options, admin, session, console);
  if (!elected) return fail_with(elected.error());
  Table table({{"BROKER"}, {"WAS MASTER"}, {"IS MASTER"}, {"EPOCH", Align::Right}});
  table.add_row(
      {set->name, set->replicas.master_address, elected->address, std::to_string(elected->epoch)});
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("broker", set->name).set("was_master", set->replicas.master_address);
  listing.value.set("is_master", elected->address).set("epoch", elected->epoch);
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

// --- remove

ExitCode remove(const ReplicaOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  const std::string task = "forget a replica of '" + options.broker + "'";
  const auto fail_with = [&](const Error& why) {
    return report(refusal(why, task, options), options.format(), console);
  };
  const auto set = find_set(options, admin, session);
  if (!set) return fail_with(set.error());
  const auto replica = find_replica(options, *set);
  if (!replica) return fail_with(replica.error());
  const std::string what = "forget replica " + std::to_string(replica->id) + " of '" + set->name +
                           "', " + replica->address;
  if (const auto stop = ask_consent(options.consent, what, set->name, options.format(), console)) {
    return *stop;
  }
  client::CleanedBrokers cleaned;
  cleaned.cluster = set->cluster;
  cleaned.broker = set->name;
  cleaned.ids = {replica->id};
  cleaned.even_alive = options.even_alive;
  ControllerClient client(session.client(), set->controllers, options.timeout());
  const auto done = session.run<Result<>>([&] { return client.clean(cleaned); });
  if (!done) return fail_with(done.error());
  say("forgot replica " + std::to_string(replica->id) + " of '" + set->name + "'", options.format(),
      console);
  if (is_for_programs(options.format())) {
    json::Value value = json::Value::object();
    value.set("broker", set->name).set("forgotten", replica->id).set("address", replica->address);
    print_value(value, options.format(), console);
  }
  return ExitCode::Ok;
}

}  // namespace

void add_broker_replica(const Command& noun, Console& console) {
  {
    const auto [verb, options] = add_verb<ReplicaOptions>(
        noun, "promote",
        "Make a slave under controllers the master; nothing that was acknowledged is lost",
        "rmq broker promote broker-a --yes");
    verb.option("BROKER", options->broker,
                "The broker's name, or the address of the slave that is meant")
        .required();
    verb.option("--id", options->id, "The replica's id, when there are several slaves")
        .positive()
        .type("ID");
    verb.option("--wait", options->wait_s, "Longest wait in seconds until the slaves have all")
        .between(0.05, 86'400)
        .type("S")
        .shows_default();
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, promote);
  }
  {
    const auto [verb, options] = add_verb<ReplicaOptions>(
        noun, "remove", "Make controllers forget a replica that does not come back",
        "rmq broker remove broker-a --id 2 --yes");
    verb.option("BROKER", options->broker, "The broker's name").required();
    verb.option("--id", options->id, "The replica's id, as 'rmq controller status' shows it")
        .required()
        .positive()
        .type("ID");
    verb.flag("--even-alive", options->even_alive, "Also one that is alive");
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, remove);
  }
}

}  // namespace rmq::cli
