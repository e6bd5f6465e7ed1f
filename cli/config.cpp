#include "cli/config.h"

#include <array>
#include <memory>
#include <ostream>

#include "cli/exit_code.h"
#include "config/reference.h"
#include "config/write_toml.h"

namespace rmq::cli {
namespace {

using config::KeyValues;

void append_other_keys(const KeyValues& keys, std::string& out) {
  if (keys.empty()) return;
  out += "\n# In the file, but not used:\n";
  for (const auto& [key, value] : keys) out += "# " + key + "=" + value + "\n";
}

void show(const RawServeOptions& raw, Console& console) {
  const Result<ServeOptions> options = resolve(raw);
  if (!options) {
    console.err << "rmq: " << options.error().message() << "\n";
    return finish(ExitCode::Usage);
  }
  for (const std::string& note : options->notes) console.err << "rmq: " << note << "\n";
  for (const std::string& warning : options->warnings) console.err << "rmq: " << warning << "\n";
  console.out << config_as_toml(*options);
}

}  // namespace

std::string config_reference() {
  roles::namesrv::NamesrvConfig namesrv;
  roles::broker::BrokerConfig broker;
  roles::controller::ControllerConfig controller;
  const std::array sections{
      config::ReferenceSection{
          "Name server",
          "Tables `[namesrv]` of a `.toml` file; RocketMQ's file is `namesrv.conf`. With "
          "`enableControllerInNamesrv=true` that one has a controller's keys too.",
          rows(namesrv), roles::namesrv::java_keys()},
      config::ReferenceSection{
          "Broker",
          "Tables `[broker]` and `[store]` of a `.toml` file; RocketMQ's file is "
          "`broker.conf`.",
          rows(broker), roles::broker::java_keys()},
      config::ReferenceSection{
          "Controller",
          "Tables `[controller]` of a `.toml` file; RocketMQ's file is `controller.conf`.",
          rows(controller), roles::controller::java_keys()},
  };
  return config::reference(sections);
}

std::string config_as_toml(ServeOptions options) {
  std::string out;
  if (options.namesrv) {
    out += config::write_toml(rows(*options.namesrv), true);
    append_other_keys(options.namesrv->other_keys, out);
  }
  if (options.broker) {
    if (!out.empty()) out += "\n";
    out += config::write_toml(rows(*options.broker), true);
    append_other_keys(options.broker->other_keys, out);
  }
  if (options.controller) {
    if (!out.empty()) out += "\n";
    out += config::write_toml(rows(*options.controller), true);
    append_other_keys(options.controller->other_keys, out);
  }
  return out;
}

void add_config_commands(const Command& root, Console& console) {
  const Command noun = root.noun("config", "Settings: what there are, and what a file comes to");

  const Command reference = noun.subcommand("reference", "Print the document of all settings");
  reference.footer("Example:\n  rmq config reference > config.md");
  reference.does([&console] { console.out << config_reference(); });

  const Command shown = noun.subcommand(
      "show", "Check options and files of 'rmq serve', and print what they come to, as TOML");
  shown.footer(
      "Example, turns a Java file into a TOML file:\n"
      "  rmq config show --config broker.conf > broker.toml");
  const auto raw = std::make_shared<RawServeOptions>();
  add_serve_options(shown, *raw);
  shown.does([raw, &console] { show(*raw, console); });
}

}  // namespace rmq::cli
