// Which roles a process has, and which config file belongs to which: from --role and --config, and
// from what the files say when the options leave it open. Threads: none of its own.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace rmq::cli {

enum class Role { Namesrv, Broker, Controller };

std::string_view name_of(Role role);

// A config file as it was read, and the roles it is for.
struct RoleFile {
  std::string path;
  std::string text;
  bool toml = false;
  std::vector<Role> roles;
};

struct ChosenRoles {
  std::vector<Role> roles;
  std::vector<RoleFile> files;
  std::optional<bool> slave;  // what --role or --config says of the broker

  bool has(Role role) const;
  const RoleFile* file_for(Role role) const;
};

// `roles` are the words of --role, `configs` those of --config. Neither given: name server and
// master. Errors: ConfigErrc; the detail says which option or file.
Result<ChosenRoles> choose_roles(const std::vector<std::string>& roles,
                                 const std::vector<std::string>& configs);

}  // namespace rmq::cli
