#include "cli/namesrv.h"

#include "cli/settings_verbs.h"
#include "cli/targets.h"

namespace rmq::cli {
namespace {

using client::AdminClient;

struct ConfigOptions : CommonOptions {
  std::vector<std::string> keys;      // get
  std::vector<std::string> settings;  // set
  bool dry_run = false;
};

SettingsServers name_servers(Session& session, AdminClient& admin) {
  SettingsServers of;
  of.kind = "name server";
  of.servers = name_server_targets(session);
  of.read = [&admin](const Target& target) { return admin.namesrv_config(target.address); };
  of.change = [&admin](const Target& target, const JavaProperties& settings) {
    return admin.update_namesrv_config(target.address, settings);
  };
  return of;
}

ExitCode get_config(const ConfigOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  return get_settings(name_servers(session, admin), options.keys, options, session, console);
}

ExitCode set_config(const ConfigOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  return set_settings(name_servers(session, admin), options.settings, options.dry_run, options,
                      session, console);
}

}  // namespace

void add_namesrv_commands(const Command& root, Console& console) {
  const Command noun = root.noun("namesrv", "The name servers: keys, values and settings");
  add_namesrv_kv(noun, console);
  const Command config = noun.noun("config", "The settings of running name servers");
  {
    const auto [verb, options] =
        add_verb<ConfigOptions>(config, "get", "Show the settings of each name server",
                                "rmq namesrv config get orderMessageEnable");
    verb.option("KEY", options->keys, "Only these settings");
    run_as_reader(verb, options, console, get_config);
  }
  {
    const auto [verb, options] = add_verb<ConfigOptions>(
        config, "set", "Change settings of every name server; old and new values are shown",
        "rmq namesrv config set orderMessageEnable=true --dry-run");
    verb.option("KEY=VALUE", options->settings, "A setting by RocketMQ's name")
        .required()
        .checked_by(check_setting);
    verb.flag("--dry-run", options->dry_run, "Only show what would change");
    run_as(verb, options, console, set_config);
  }
}

}  // namespace rmq::cli
