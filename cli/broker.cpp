#include "cli/broker.h"

#include "cli/settings_verbs.h"
#include "cli/targets.h"

namespace rmq::cli {
namespace {

using client::AdminClient;

struct ConfigOptions : CommonOptions {
  std::string broker;
  std::vector<std::string> keys;      // get
  std::vector<std::string> settings;  // set
  bool dry_run = false;
};

SettingsServers brokers(std::vector<Target> targets, AdminClient& admin) {
  SettingsServers of;
  of.kind = "broker";
  of.servers = std::move(targets);
  of.read = [&admin](const Target& target) { return admin.broker_config(target.address); };
  of.change = [&admin](const Target& target, const JavaProperties& settings) {
    return admin.update_broker_config(target.address, settings);
  };
  return of;
}

ExitCode get_config(const ConfigOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  auto targets = find_targets(options.broker, "", admin, session);
  if (!targets) {
    const std::string task = "read the settings of broker '" + options.broker + "'";
    return report(explain(targets.error(), task, options), options.format(), console);
  }
  return get_settings(brokers(std::move(*targets), admin), options.keys, options, session, console);
}

ExitCode set_config(const ConfigOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  auto targets = find_targets(options.broker, "", admin, session);
  if (!targets) {
    const std::string task = "change the settings of broker '" + options.broker + "'";
    return report(explain(targets.error(), task, options), options.format(), console);
  }
  return set_settings(brokers(std::move(*targets), admin), options.settings, options.dry_run,
                      options, session, console);
}

}  // namespace

void add_broker_commands(const Command& root, Console& console) {
  const Command noun = root.noun("broker", "Single brokers: figures, settings, taking them out");
  add_broker_status(noun, console);
  const Command config = noun.noun("config", "The settings of a running broker");
  {
    const auto [verb, options] =
        add_verb<ConfigOptions>(config, "get", "Show the settings, by RocketMQ's names",
                                "rmq broker config get broker-a flushDiskType");
    verb.option("BROKER", options->broker, "The broker: name or address").required();
    verb.option("KEY", options->keys, "Only these settings");
    run_as_reader(verb, options, console, get_config);
  }
  {
    const auto [verb, options] = add_verb<ConfigOptions>(
        config, "set", "Change settings while it runs; old and new values are shown",
        "rmq broker config set broker-a flushDiskType=SYNC_FLUSH --dry-run");
    verb.option("BROKER", options->broker, "The broker: name or address").required();
    verb.option("KEY=VALUE", options->settings, "A setting by RocketMQ's name")
        .required()
        .checked_by(check_setting);
    verb.flag("--dry-run", options->dry_run, "Only show what would change");
    run_as(verb, options, console, set_config);
  }
  add_broker_drain(noun, console);
  add_broker_replica(noun, console);
}

}  // namespace rmq::cli
