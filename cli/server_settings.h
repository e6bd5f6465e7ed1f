// KEY=VALUE arguments, and what a server's settings are before and after a change: what `rmq broker
// config` and `rmq namesrv config` have in common.
// Threads: plain values.
#pragma once

#include <string>
#include <vector>

#include "base/java_compat.h"
#include "base/result.h"
#include "cli/output.h"
#include "cli/targets.h"

namespace rmq::cli {

// What is wrong with "KEY=VALUE", or nothing: "".
std::string check_setting(const std::string& text);
// Each must have passed check_setting().
JavaProperties settings_from(const std::vector<std::string>& texts);

// The settings of several servers of a kind ("broker", "name server"); of `keys` only, if there are
// any. Servers without an answer are left out.
Listing settings_listing(const std::string& kind, const std::vector<Target>& servers,
                         const std::vector<Result<JavaProperties>>& settings,
                         const std::vector<std::string>& keys);

struct SettingsChange {
  std::string kind;
  bool dry_run = false;
  JavaProperties wanted;
};
// Old and new values; `results` has one for each server, or none with dry_run.
Listing change_listing(const SettingsChange& change, const std::vector<Target>& servers,
                       const std::vector<Result<JavaProperties>>& before,
                       const std::vector<Result<bool>>& results);

// The wanted keys that none of the servers has, with the nearest one that it has: "... Did you mean
// 'flushDiskType'?". Empty when all are known.
std::string unknown_key(const JavaProperties& wanted,
                        const std::vector<Result<JavaProperties>>& settings);

}  // namespace rmq::cli
