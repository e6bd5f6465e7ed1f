#include "cli/serve_roles.h"

#include <algorithm>

#include "base/java_compat.h"
#include "roles/broker/broker_config.h"
#include "roles/controller/controller_config.h"
#include "roles/namesrv/namesrv_config.h"

namespace rmq::cli {
namespace {

using config::ConfigErrc;

constexpr std::string_view kSlave = "slave";

Result<Role> parse_role(std::string_view word) {
  if (word == "namesrv") return Role::Namesrv;
  if (word == "master" || word == kSlave) return Role::Broker;
  if (word == "controller") return Role::Controller;
  return fail(ConfigErrc::BadValue, "'" + std::string(word) +
                                        "' is not a role; roles are namesrv, master, slave and "
                                        "controller");
}

bool contains(const std::vector<Role>& roles, Role role) {
  return std::ranges::find(roles, role) != roles.end();
}

// Whether the file of a role may have `key`.
bool knows(const config::Rows& rows, const config::JavaKeys& other, std::string_view key) {
  return rows.find_java(key) != nullptr ||
         std::ranges::find(other.judged, key, &config::JavaKey::key) != other.judged.end() ||
         std::ranges::find(other.tuning, key) != other.tuning.end();
}

bool contains_key(const config::KeyValues& properties, std::string_view key) {
  return std::ranges::find(properties, key, &config::KeyValues::value_type::first) !=
         properties.end();
}

// The roles whose file this can be by its keys: those of which it has a key that the others do not
// know. A name server's file that says whether there is a controller in it may have all of a
// controller's keys.
std::vector<Role> roles_named_by_java(std::string_view text) {
  roles::namesrv::NamesrvConfig namesrv;
  roles::broker::BrokerConfig broker;
  roles::controller::ControllerConfig controller;
  struct Known {
    Role role;
    config::Rows rows;
    config::JavaKeys other;
  };
  std::vector<Known> all;
  all.push_back({Role::Namesrv, rows(namesrv), roles::namesrv::java_keys()});
  all.push_back({Role::Broker, rows(broker), roles::broker::java_keys()});
  const auto properties = parse_properties(text);
  if (!contains_key(properties, "enableControllerInNamesrv")) {
    all.push_back({Role::Controller, rows(controller), roles::controller::java_keys()});
  }
  std::vector<Role> found;
  for (const auto& [key, value] : properties) {
    std::vector<Role> who;
    for (const Known& role : all) {
      if (knows(role.rows, role.other, key)) who.push_back(role.role);
    }
    if (who.size() == 1 && !contains(found, who.front())) found.push_back(who.front());
  }
  return found;
}

Result<std::vector<Role>> roles_named_by_toml(std::string_view text, const std::string& path) {
  RMQ_TRY(const std::vector<std::string> tables, config::toml_tables(text, path));
  std::vector<Role> found;
  for (const std::string& table : tables) {
    if (table == "namesrv" && !contains(found, Role::Namesrv)) found.push_back(Role::Namesrv);
    if (table == "controller" && !contains(found, Role::Controller)) {
      found.push_back(Role::Controller);
    }
    if ((table == "broker" || table == "store") && !contains(found, Role::Broker)) {
      found.push_back(Role::Broker);
    }
  }
  return found;
}

std::string names_of(const std::vector<Role>& roles) {
  std::string names;
  for (const Role role : roles) {
    names += (names.empty() ? "" : " and ") + std::string(name_of(role));
  }
  return names;
}

// "[ROLE=]FILE", read; `stated` gets the role if there was one. A '=' in a file name is part of it
// unless a role stands before it.
Result<RoleFile> read_role_file(const std::string& word, std::optional<Role>& stated) {
  RoleFile file;
  file.path = word;
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos && word.find('/') > equals) {
    RMQ_TRY(stated, parse_role(std::string_view(word).substr(0, equals)));
    file.path = word.substr(equals + 1);
  }
  file.toml = config::is_toml(file.path);
  RMQ_TRY(file.text, config::read_config_file(file.path));
  return file;
}

// The roles of `file`: the stated one, else what its keys say, as far as --role leaves room.
Result<std::vector<Role>> roles_of_file(const RoleFile& file, std::optional<Role> stated,
                                        const std::vector<Role>& typed) {
  std::vector<Role> named;
  if (file.toml) {
    RMQ_TRY(named, roles_named_by_toml(file.text, file.path));
  } else {
    named = roles_named_by_java(file.text);
  }
  const auto contradiction = [&](Role wanted) {
    return fail(ConfigErrc::Contradiction, file.path + " is a file for " + names_of(named) +
                                               ", but it is given to " +
                                               std::string(name_of(wanted)));
  };
  if (stated) {
    if (!named.empty() && !contains(named, *stated)) return contradiction(*stated);
    return std::vector<Role>{*stated};
  }
  if (!typed.empty()) {
    std::vector<Role> both;
    std::ranges::copy_if(typed, std::back_inserter(both),
                         [&](Role role) { return contains(named, role); });
    if (!both.empty() && (file.toml || both.size() == 1)) return both;
    if (typed.size() == 1) {
      if (!named.empty()) return contradiction(typed.front());
      return typed;
    }
  } else if (named.size() == 1 || (file.toml && !named.empty())) {
    return named;
  }
  return fail(ConfigErrc::Contradiction,
              file.path + " does not say which role it is for; write --config ROLE=" + file.path);
}

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::Namesrv:
      return "namesrv";
    case Role::Broker:
      return "broker";
    case Role::Controller:
      break;
  }
  return "controller";
}

bool ChosenRoles::has(Role role) const { return contains(roles, role); }

const RoleFile* ChosenRoles::file_for(Role role) const {
  for (const RoleFile& file : files) {
    if (contains(file.roles, role)) return &file;
  }
  return nullptr;
}

Result<ChosenRoles> choose_roles(const std::vector<std::string>& roles,
                                 const std::vector<std::string>& configs) {
  ChosenRoles chosen;
  for (const std::string& word : roles) {
    RMQ_TRY(const Role role, parse_role(word));
    if (contains(chosen.roles, role)) {
      return fail(ConfigErrc::Contradiction, "--role names " + word +
                                                 " twice, or both of master "
                                                 "and slave: a process has one broker");
    }
    chosen.roles.push_back(role);
    if (role == Role::Broker) chosen.slave = word == kSlave;
  }
  const std::vector<Role> typed = chosen.roles;
  for (const std::string& word : configs) {
    std::optional<Role> stated;
    RMQ_TRY(RoleFile file, read_role_file(word, stated));
    if (stated == Role::Broker) chosen.slave = word.starts_with(kSlave);
    if (stated && !typed.empty() && !contains(typed, *stated)) {
      return fail(ConfigErrc::Contradiction,
                  "--config " + word + ": --role does not name " + word.substr(0, word.find('=')));
    }
    RMQ_TRY(file.roles, roles_of_file(file, stated, typed));
    for (const Role role : file.roles) {
      if (const RoleFile* other = chosen.file_for(role)) {
        return fail(ConfigErrc::Contradiction, "two config files for " +
                                                   std::string(name_of(role)) + ": " + other->path +
                                                   " and " + file.path);
      }
      if (!chosen.has(role)) chosen.roles.push_back(role);
    }
    chosen.files.push_back(std::move(file));
  }
  if (chosen.roles.empty()) chosen.roles = {Role::Namesrv, Role::Broker};
  return chosen;
}

}  // namespace rmq::cli
