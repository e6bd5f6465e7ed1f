// The settings of each role, as the config files of `rmq serve` have them.
// Threads: none of its own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/serve_roles.h"
#include "roles/broker/broker_config.h"
#include "roles/controller/controller_config.h"
#include "roles/namesrv/namesrv_config.h"

namespace rmq::cli {

struct RoleConfigs {
  roles::namesrv::NamesrvConfig namesrv;
  roles::broker::BrokerConfig broker;
  roles::controller::ControllerConfig controller;
};

// Reads the files into `configs`; the tables of a role that does not run are checked and dropped.
// A name server's file has a controller's settings too, unless that has a file of its own.
// Errors: ConfigErrc.
Result<> load_files(const ChosenRoles& chosen, RoleConfigs& configs,
                    std::vector<std::string>& warnings);

// What the broker's role and its other settings come to together. RocketMQ's SYNC_MASTER waits for
// nobody unless inSyncReplicas says so: here it waits for a slave, and only who writes 1 in so many
// words gets what RocketMQ does. Error: ConfigErrc::Contradiction.
Result<> settle_broker_role(const ChosenRoles& chosen, roles::broker::BrokerConfig& broker,
                            std::vector<std::string>& warnings);

}  // namespace rmq::cli
