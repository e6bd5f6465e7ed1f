#include "cli/store.h"

#include <cstdlib>
#include <filesystem>

#include "base/java_compat.h"
#include "base/log.h"
#include "config/config_errc.h"
#include "config/load.h"
#include "roles/broker/broker_config.h"
#include "roles/controller/controller_config.h"
#include "roles/namesrv/namesrv_config.h"
#include "storage/store_errc.h"

namespace rmq::cli {
namespace {

namespace fs = std::filesystem;
namespace offline = storage::offline;
using storage::StoreErrc;

constexpr const char* kBelowData = "store";
constexpr const char* kDataDirectory = "rmq-data";

// The settings of the store in a broker's file. Whether a broker could run with the rest of it does
// not matter here.
Result<storage::StoreConfig> load_settings(const std::string& file) {
  RMQ_TRY(const std::string text, config::read_config_file(file));
  roles::broker::BrokerConfig broker;
  if (config::is_toml(file)) {
    roles::namesrv::NamesrvConfig namesrv;
    config::Rows all = rows(broker);
    all.append(rows(namesrv));
    roles::controller::ControllerConfig controller;
    all.append(rows(controller));
    RMQ_CHECK(config::load_toml(text, file, all));
    return broker.store;
  }
  RMQ_TRY([[maybe_unused]] const config::JavaRemains rest,
          config::load_java(parse_properties(text), file, rows(broker), config::JavaKeys{}));
  if (broker.store.root_directory.empty()) {
    const char* home = std::getenv("HOME");
    if (home != nullptr) broker.store.root_directory = std::string(home) + "/store";
  }
  return broker.store;
}

bool is_store(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory / "commitlog", ignored) ||
         fs::exists(directory / "consumequeue", ignored);
}

std::string absolute_path(const std::string& path) {
  std::error_code ignored;
  return (fs::current_path(ignored) / path).lexically_normal().string();
}

}  // namespace

void add_store_options(const Command& verb, StoreOptions& options) {
  verb.option("DIR", options.directory,
              "The store: the directory with commitlog/ in it, or the one that 'rmq serve --data' "
              "was given (default: where 'rmq serve' would keep it)");
  verb.option("--config", options.config,
              "The server's file of settings (.toml, or RocketMQ's broker.conf), for paths and "
              "lengths of files; without it lengths are found from the files")
      .type("FILE");
  add_output_option(verb, options);
}

Result<offline::StorePlace> find_store(const StoreOptions& options) {
  offline::StorePlace place;
  if (!options.config.empty()) {
    RMQ_TRY(place.config, load_settings(options.config));
    place.sizes_known = true;
  }
  storage::StoreConfig& config = place.config;
  if (!options.directory.empty()) {
    const fs::path given(absolute_path(options.directory));
    const bool below = !is_store(given) && is_store(given / kBelowData);
    config.root_directory = (below ? given / kBelowData : given).lexically_normal().string();
  } else if (config.root_directory.empty()) {
    config.root_directory = std::string(kDataDirectory) + "/" + kBelowData;
  }
  if (config.commit_log_directory.find_first_of(",;") != std::string::npos) {
    return fail(config::ConfigErrc::Refused,
                options.config + ": a commit log in several directories cannot be read");
  }
  config.root_directory = absolute_path(config.root_directory);
  while (config.root_directory.size() > 1 && config.root_directory.ends_with('/')) {
    config.root_directory.pop_back();
  }
  if (!config.commit_log_directory.empty()) {
    config.commit_log_directory = absolute_path(config.commit_log_directory);
  }
  return place;
}

std::optional<offline::StorePlace> open_place(const StoreOptions& options, Console& console) {
  log::set_level(log::Level::Error);
  Result<offline::StorePlace> place = find_store(options);
  if (place) return std::move(*place);
  report(usage_failure(place.error().message(),
                       "'rmq config show --config FILE' says what a file comes to."),
         options.format(), console);
  return std::nullopt;
}

Failure explain_store_error(const Error& error, const std::string& task,
                            const StoreOptions& options) {
  Failure failure = explain(error, task, options);
  failure.exit = ExitCode::Failed;
  if (error.code == StoreErrc::InUse) {
    failure.hint = "Stop the server that has it open; 'rmq store inspect' works meanwhile.";
  } else if (error.code == std::errc::no_such_file_or_directory) {
    failure.exit = ExitCode::NotFound;
    failure.hint = "Name the directory that has commitlog/ and consumequeue/ in it.";
  } else if (error.code == std::errc::permission_denied) {
    failure.hint = "Run it as the user that the server runs as.";
  } else if (error.code == StoreErrc::WrongFileSize || error.code == StoreErrc::WrongFileName) {
    failure.hint = "'rmq store verify' shows all files that do not fit.";
  }
  return failure;
}

Table findings_table(const offline::Findings& findings) {
  Table table({{"KIND"}, {"COSTS"}, {"POSITION", Align::Right}, {"FILE"}, {"WHAT"}});
  for (const offline::Finding& finding : findings.kept()) {
    table.add_row({name_of(finding.kind), name_of(finding.harm), std::to_string(finding.position),
                   finding.file.empty() ? "-" : finding.file, finding.what});
  }
  return table;
}

json::Value findings_value(const offline::Findings& findings) {
  json::Value list = json::Value::array();
  for (const offline::Finding& finding : findings.kept()) {
    json::Value value = json::Value::object();
    value.set("kind", name_of(finding.kind)).set("costs", name_of(finding.harm));
    value.set("file", finding.file).set("position", finding.position).set("what", finding.what);
    list.push_back(std::move(value));
  }
  return list;
}

void add_store_commands(const Command& root, Console& console) {
  const Command noun =
      root.noun("store", "Store directories, rmq's or a Java broker's: look, check, repair");
  add_store_inspect(noun, console);
  add_store_verify(noun, console);
  add_store_repair(noun, console);
}

}  // namespace rmq::cli
