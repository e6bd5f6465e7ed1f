#include "cli/role_configs.h"

#include <string>
#include <utility>

#include "base/java_compat.h"
#include "config/load.h"

namespace rmq::cli {

using config::ConfigErrc;
using roles::broker::BrokerConfig;
using roles::broker::BrokerRole;

namespace {

Result<> load_toml_file(const RoleFile& file, const ChosenRoles& chosen, RoleConfigs& configs) {
  // A table that another role's file has already filled must not be filled again from here.
  RoleConfigs unused;
  const auto is_for = [&](Role role) { return chosen.file_for(role) == &file; };
  const bool controller = is_for(Role::Controller) ||
                          (is_for(Role::Namesrv) && chosen.file_for(Role::Controller) == nullptr);
  config::Rows all = rows(is_for(Role::Namesrv) ? configs.namesrv : unused.namesrv);
  all.append(rows(is_for(Role::Broker) ? configs.broker : unused.broker));
  all.append(rows(controller ? configs.controller : unused.controller));
  return config::load_toml(file.text, file.path, all);
}

// A name server's file may have a controller's keys; they are shown among the name server's.
Result<config::JavaRemains> load_namesrv_conf(const config::KeyValues& properties,
                                              const RoleFile& file, const ChosenRoles& chosen,
                                              RoleConfigs& configs) {
  roles::controller::ControllerConfig unused;
  const bool has_own_file = chosen.file_for(Role::Controller) != nullptr;
  const config::Rows of_controller = rows(has_own_file ? unused : configs.controller, true);
  config::Rows all = rows(configs.namesrv);
  all.append(of_controller);
  RMQ_TRY(config::JavaRemains remains,
          config::load_java(properties, file.path, all, roles::namesrv::java_keys()));
  for (const auto& [key, value] : properties) {
    if (of_controller.find_java(key) != nullptr) remains.other_keys.emplace_back(key, value);
  }
  return remains;
}

Result<config::JavaRemains> load_java_file(const RoleFile& file, const ChosenRoles& chosen,
                                           RoleConfigs& configs) {
  const config::KeyValues properties = parse_properties(file.text);
  switch (file.roles.front()) {
    case Role::Namesrv:
      return load_namesrv_conf(properties, file, chosen, configs);
    case Role::Broker:
      return config::load_java(properties, file.path, rows(configs.broker),
                               roles::broker::java_keys());
    case Role::Controller:
      break;
  }
  return config::load_java(properties, file.path, rows(configs.controller),
                           roles::controller::java_keys());
}

}  // namespace

Result<> load_files(const ChosenRoles& chosen, RoleConfigs& configs,
                    std::vector<std::string>& warnings) {
  for (const RoleFile& file : chosen.files) {
    if (file.toml) {
      RMQ_CHECK(load_toml_file(file, chosen, configs));
      continue;
    }
    RMQ_TRY(config::JavaRemains remains, load_java_file(file, chosen, configs));
    const Role role = file.roles.front();
    auto& others = role == Role::Namesrv  ? configs.namesrv.other_keys
                   : role == Role::Broker ? configs.broker.other_keys
                                          : configs.controller.other_keys;
    others = std::move(remains.other_keys);
    for (std::string& warning : remains.warnings) warnings.push_back(std::move(warning));
  }
  return {};
}

Result<> settle_broker_role(const ChosenRoles& chosen, BrokerConfig& broker,
                            std::vector<std::string>& warnings) {
  if (broker.enable_controller_mode) {
    if (broker.controller_addr.empty()) {
      return fail(ConfigErrc::Contradiction,
                  "broker.enable_controller_mode (enableControllerMode) needs broker.controller "
                  "(controllerAddr): the addresses of the controllers");
    }
    // Who was a slave until now takes its master's epochs over (ReplicaManager::load()).
    const bool says_nothing = broker.broker_role == BrokerRole::AsyncMaster;
    if (chosen.slave == true && says_nothing) broker.broker_role = BrokerRole::Slave;
    return {};
  }
  const bool from_file = broker.broker_role == BrokerRole::Slave;
  if (from_file && chosen.slave == false) {
    return fail(ConfigErrc::Contradiction,
                "broker.role (brokerRole) is SLAVE, but --role says master; use --role=slave");
  }
  if (chosen.slave == true) broker.broker_role = BrokerRole::Slave;
  if (broker.broker_role == BrokerRole::Slave) {
    if (broker.broker_id > 0) return {};
    warnings.push_back(
        "broker.id (brokerId) 0 is a master's: this slave has 1; give each slave of "
        "a master another one");
    broker.broker_id = 1;
    return {};
  }
  if (broker.broker_role == BrokerRole::SyncMaster && broker.in_sync_replicas == 1) {
    warnings.push_back("brokerRole=SYNC_MASTER with inSyncReplicas=1 waits for no slave");
  }
  if (broker.broker_id != 0) {
    warnings.push_back("broker.id (brokerId) " + std::to_string(broker.broker_id) +
                       ": a master's is 0, which is used");
    broker.broker_id = 0;
  }
  return {};
}

}  // namespace rmq::cli
