// The work behind `config get` and `config set` of brokers and of name servers: they differ only in
// whom they ask, and how.
// Threads: one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/server_settings.h"

namespace rmq::cli {

// Servers of one kind, and how to read and change their settings.
struct SettingsServers {
  std::string kind;  // "broker"
  std::vector<Target> servers;
  std::function<net::Task<Result<JavaProperties>>(const Target&)> read;
  std::function<net::Task<Result<>>(const Target&, const JavaProperties&)> change;
};

// `keys`: only these, or all when there are none.
ExitCode get_settings(const SettingsServers& of, const std::vector<std::string>& keys,
                      const CommonOptions& options, Session& session, Console& console);
ExitCode set_settings(const SettingsServers& of, const std::vector<std::string>& texts,
                      bool dry_run, const CommonOptions& options, Session& session,
                      Console& console);

}  // namespace rmq::cli
