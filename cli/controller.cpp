#include "cli/controller.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/consent.h"
#include "cli/output.h"
#include "cli/settings_verbs.h"
#include "client/controller_client.h"
#include "net/endpoint.h"
#include "net/net_errc.h"

namespace rmq::cli {
namespace {

using client::ControllerClient;
using client::ControllerInfo;
using protocol::ReplicasOfSet;
using protocol::ReplicasOfSets;
using protocol::ReplicaState;

constexpr const char* kDefaultControllers = "127.0.0.1:9878";

struct ControllerOptions : CommonOptions {
  std::string controllers = kDefaultControllers;
  std::vector<std::string> brokers;   // status
  std::string broker;                 // elect, clean
  std::string cluster;                // elect, clean
  std::int64_t id = 0;                // elect
  std::string ids;                    // clean: "2,3"
  bool even_alive = false;            // clean
  std::vector<std::string> keys;      // config get
  std::vector<std::string> settings;  // config set
  bool change_nothing = false;        // config set
  Consent consent;
};

void add_controller_option(const Command& verb, ControllerOptions& options) {
  verb.option("--controller", options.controllers, "Controllers of one group")
      .type("HOST:PORT[;...]")
      .shows_default();
}

// "host:port;host" apart.
Result<std::vector<std::string>> parse_controllers(std::string_view text) {
  std::vector<std::string> addresses;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string address(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (address.empty()) continue;
    if (address.rfind(':') == std::string::npos) address += ":9878";
    RMQ_CHECK(net::split_address(address));
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) return fail(net::NetErrc::AddressMalformed, "--controller names none");
  return addresses;
}

Result<ControllerClient> controllers(const ControllerOptions& options, Session& session) {
  RMQ_TRY(std::vector<std::string> addresses, parse_controllers(options.controllers));
  return ControllerClient(session.client(), std::move(addresses), options.timeout());
}

ExitCode failed(const Error& error, const std::string& task, const ControllerOptions& options,
                OutputFormat format, Console& console) {
  Failure failure = explain(error, task, options);
  if (error.code == net::NetErrc::ConnectFailed || error.code == net::NetErrc::ConnectionClosed) {
    failure.hint =
        "Start a controller there with 'rmq serve --role=controller', or name another one with "
        "--controller.";
  }
  return report(failure, format, console);
}
ExitCode failed(const Error& error, const std::string& task, const ControllerOptions& options,
                Console& console) {
  return failed(error, task, options, options.format(), console);
}

std::string state_of(const ReplicasOfSet& set, const ReplicaState& replica, bool in_sync) {
  if (set.master_id == replica.id) return "master";
  return in_sync ? "in sync" : "not in sync";
}

void add_rows(const std::string& name, const ReplicasOfSet& set, bool in_sync, Table& table) {
  for (const ReplicaState& replica : in_sync ? set.in_sync : set.not_in_sync) {
    table.add_row({name, std::to_string(replica.id), replica.address,
                   state_of(set, replica, in_sync), replica.alive ? "alive" : "dead"});
  }
}

json::Value to_json(const std::string& name, const ReplicasOfSet& set) {
  json::Value replicas = json::Value::array();
  for (const bool in_sync : {true, false}) {
    for (const ReplicaState& replica : in_sync ? set.in_sync : set.not_in_sync) {
      json::Value item = json::Value::object();
      item.set("id", replica.id).set("address", replica.address);
      item.set("in_sync", in_sync).set("alive", replica.alive);
      replicas.push_back(std::move(item));
    }
  }
  json::Value value = json::Value::object();
  value.set("broker", name);
  value.set("master", set.master_id ? json::Value(*set.master_id) : json::Value());
  value.set("master_address", set.master_address);
  value.set("epoch", set.master_epoch).set("set_epoch", set.set_epoch);
  value.set("replicas", std::move(replicas));
  return value;
}

Listing status_listing(const std::vector<ControllerInfo>& infos, const ReplicasOfSets& sets) {
  Table leaders({{"CONTROLLER"}, {"GROUP"}, {"LEADER"}, {"LEADER ADDRESS"}, {"PEERS"}});
  json::Value controllers_value = json::Value::array();
  for (const ControllerInfo& info : infos) {
    std::string peers;
    json::Value peers_value = json::Value::array();
    for (const std::string& peer : info.peers) {
      peers += (peers.empty() ? "" : " ") + peer;
      peers_value.push_back(peer);
    }
    leaders.add_row({info.address, info.group, info.leader_id, info.leader_address, peers});
    json::Value item = json::Value::object();
    item.set("address", info.address).set("group", info.group).set("leader", info.leader_id);
    item.set("leader_address", info.leader_address).set("is_leader", info.is_leader);
    item.set("peers", std::move(peers_value));
    controllers_value.push_back(std::move(item));
  }
  Table masters({{"BROKER"},
                 {"MASTER", Align::Right},
                 {"ADDRESS"},
                 {"EPOCH", Align::Right},
                 {"SET EPOCH", Align::Right}});
  Table replicas({{"BROKER"}, {"ID", Align::Right}, {"ADDRESS"}, {"ROLE"}, {"STATE"}});
  json::Value list = json::Value::array();
  for (const auto& [name, set] : sets) {
    masters.add_row({name, set.master_id ? std::to_string(*set.master_id) : "none",
                     set.master_address, std::to_string(set.master_epoch),
                     std::to_string(set.set_epoch)});
    add_rows(name, set, true, replicas);
    add_rows(name, set, false, replicas);
    list.push_back(to_json(name, set));
  }
  Listing listing;
  listing.tables = {std::move(leaders), std::move(masters), std::move(replicas)};
  listing.value = json::Value::object();
  listing.value.set("controllers", std::move(controllers_value)).set("sets", std::move(list));
  return listing;
}

ExitCode show_status(const ControllerOptions& options, Session& session, Console& console) {
  const auto fail_with = [&](const Error& error) {
    return failed(error, "show the controller", options, console);
  };
  Result<ControllerClient> client = controllers(options, session);
  if (!client) return fail_with(client.error());
  std::vector<ControllerInfo> infos;
  std::optional<Error> silent;
  for (const std::string& address : client->addresses()) {
    Result<ControllerInfo> info =
        session.run<Result<ControllerInfo>>([&] { return client->info(address); });
    if (info) {
      infos.push_back(std::move(*info));
    } else {
      silent = info.error();
    }
  }
  if (infos.empty()) return fail_with(*silent);
  const auto sets =
      session.run<Result<ReplicasOfSets>>([&] { return client->sets(options.brokers); });
  if (!sets) return fail_with(sets.error());
  show(status_listing(infos, *sets), options.format(), console);
  for (const std::string& broker : options.brokers) {
    if (sets->contains(broker)) continue;
    Failure failure;
    failure.exit = ExitCode::NotFound;
    failure.code = "CONTROLLER_BROKER_METADATA_NOT_EXIST";
    failure.message = "no broker '" + broker + "' is registered with this controller";
    failure.hint = "'rmq controller status' without a name shows those that are.";
    return report(failure, OutputFormat::Table, console);
  }
  // The others have shown what there is.
  if (silent) {
    return failed(*silent, "ask each controller", options, OutputFormat::Table, console);
  }
  return ExitCode::Ok;
}

ExitCode elect(const ControllerOptions& options, Session& session, Console& console) {
  const std::string task =
      "make replica " + std::to_string(options.id) + " of broker '" + options.broker + "' master";
  Result<ControllerClient> client = controllers(options, session);
  if (!client) return failed(client.error(), task, options, console);
  if (const auto refusal =
          ask_consent(options.consent, task, options.broker, options.format(), console)) {
    return *refusal;
  }
  const auto elected = session.run<Result<client::ElectedMaster>>(
      [&] { return client->elect(options.cluster, options.broker, options.id); });
  if (!elected) return failed(elected.error(), task, options, console);
  Table table({{"BROKER"},
               {"MASTER", Align::Right},
               {"ADDRESS"},
               {"EPOCH", Align::Right},
               {"SET EPOCH", Align::Right}});
  table.add_row({options.broker, std::to_string(elected->id.value_or(0)), elected->address,
                 std::to_string(elected->epoch), std::to_string(elected->set_epoch)});
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("broker", options.broker).set("master", elected->id.value_or(0));
  listing.value.set("master_address", elected->address);
  listing.value.set("epoch", elected->epoch).set("set_epoch", elected->set_epoch);
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

ExitCode clean(const ControllerOptions& options, Session& session, Console& console) {
  const std::string who = options.ids.empty() ? "all replicas" : "replicas " + options.ids;
  const std::string task = "forget " + who + " of broker '" + options.broker + "'";
  Result<ControllerClient> client = controllers(options, session);
  if (!client) return failed(client.error(), task, options, console);
  if (const auto refusal =
          ask_consent(options.consent, task, options.broker, options.format(), console)) {
    return *refusal;
  }
  client::CleanedBrokers what;
  what.cluster = options.cluster;
  what.broker = options.broker;
  what.ids = protocol::parse_ids(options.ids, ',').value_or(std::vector<std::int64_t>{});
  what.even_alive = options.even_alive;
  const auto cleaned = session.run<Result<>>([&] { return client->clean(what); });
  if (!cleaned) return failed(cleaned.error(), task, options, console);
  say("forgot " + who + " of broker '" + options.broker + "'", options.format(), console);
  if (is_for_programs(options.format())) {
    json::Value ids = json::Value::array();
    for (const std::int64_t id : what.ids) ids.push_back(id);
    json::Value value = json::Value::object();
    value.set("broker", options.broker).set("forgotten", std::move(ids));
    value.set("all", options.ids.empty());
    print_value(value, options.format(), console);
  }
  return ExitCode::Ok;
}

SettingsServers settings_of(ControllerClient& client) {
  SettingsServers of;
  of.kind = "controller";
  for (const std::string& address : client.addresses()) of.servers.push_back({address, address});
  of.read = [&client](const Target& target) { return client.config(target.address); };
  of.change = [&client](const Target& target, const JavaProperties& settings) {
    return client.update_config(target.address, settings);
  };
  return of;
}

ExitCode get_config(const ControllerOptions& options, Session& session, Console& console) {
  Result<ControllerClient> client = controllers(options, session);
  if (!client)
    return failed(client.error(), "read the settings of the controller", options, console);
  return get_settings(settings_of(*client), options.keys, options, session, console);
}

ExitCode set_config(const ControllerOptions& options, Session& session, Console& console) {
  Result<ControllerClient> client = controllers(options, session);
  if (!client)
    return failed(client.error(), "change the settings of the controller", options, console);
  return set_settings(settings_of(*client), options.settings, options.change_nothing, options,
                      session, console);
}

std::string check_ids(const std::string& text) {
  const auto ids = protocol::parse_ids(text, ',');
  if (!ids) return ids.error().detail;
  return ids->empty() ? "no id" : "";
}

void add_changes(const Command& noun, Console& console) {
  {
    const auto [verb, options] = add_verb<ControllerOptions>(
        noun, "elect", "Make a replica of the SyncStateSet the master of its broker set",
        "rmq controller elect broker-a --id 2 --yes");
    verb.option("BROKER", options->broker, "The broker set's name").required();
    verb.option("--id", options->id, "The replica's id, as 'rmq controller status' shows it")
        .type("ID")
        .required();
    verb.option("--cluster", options->cluster, "Its cluster; only RocketMQ's controllers ask");
    add_controller_option(verb, *options);
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, elect);
  }
  {
    const auto [verb, options] = add_verb<ControllerOptions>(
        noun, "clean", "Forget replicas that will not come back; without --id the whole broker set",
        "rmq controller clean broker-a --id 3 --yes");
    verb.option("BROKER", options->broker, "The broker set's name").required();
    verb.option("--id", options->ids, "Only these replicas").type("ID[,ID]").checked_by(check_ids);
    verb.option("--cluster", options->cluster, "Its cluster; only RocketMQ's controllers ask");
    verb.flag("--even-alive", options->even_alive, "Also those that are alive");
    add_controller_option(verb, *options);
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, clean);
  }
}

}  // namespace

void add_controller_commands(const Command& root, Console& console) {
  const Command noun =
      root.noun("controller", "The controller: broker sets, their masters, and settings");
  {
    const auto [verb, options] = add_verb<ControllerOptions>(
        noun, "status", "Show who leads, the master of each broker set, and which replicas live",
        "rmq controller status --controller 10.0.0.1:9878");
    verb.option("BROKER", options->brokers,
                "Only these broker sets; a controller of RocketMQ's shows none without names");
    add_controller_option(verb, *options);
    run_as_reader(verb, options, console, show_status);
  }
  add_changes(noun, console);
  const Command config = noun.noun("config", "The settings of running controllers");
  {
    const auto [verb, options] =
        add_verb<ControllerOptions>(config, "get", "Show the settings of each controller",
                                    "rmq controller config get enableElectUncleanMaster");
    verb.option("KEY", options->keys, "Only these settings");
    add_controller_option(verb, *options);
    run_as_reader(verb, options, console, get_config);
  }
  {
    const auto [verb, options] = add_verb<ControllerOptions>(
        config, "set", "Change settings of every controller; old and new values are shown",
        "rmq controller config set enableElectUncleanMaster=true --dry-run");
    verb.option("KEY=VALUE", options->settings, "A setting by RocketMQ's name")
        .required()
        .checked_by(check_setting);
    verb.flag("--dry-run", options->change_nothing, "Only show what would change");
    add_controller_option(verb, *options);
    run_as(verb, options, console, set_config);
  }
}

}  // namespace rmq::cli
