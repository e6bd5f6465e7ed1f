// Contexts: names for clusters, in a file of the user's, so that no command needs an address.
// Format: TOML.
//   current = "prod"
//   [contexts.prod]
//   namesrv = "10.0.0.1:9876;10.0.0.2:9876"
// Threads: one. Crash: the file has its old or its new content.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/errc.h"
#include "base/file_system.h"
#include "base/result.h"
#include "cli/common_options.h"

#define RMQ_CONTEXT_ERRC(X) X(Unknown, "no such context")
RMQ_DEFINE_ERRC(rmq::cli, ContextErrc, RMQ_CONTEXT_ERRC)

namespace rmq::cli {

struct Context {
  std::string namesrv;
};

struct Contexts {
  std::string current;  // empty: none
  std::map<std::string, Context> all;
};

// The variables of the environment that decide which cluster is meant.
struct ContextEnvironment {
  std::string rmq_config;
  std::string xdg_config_home;
  std::string home;
  std::string namesrv_addr;

  static ContextEnvironment current();
};

// $RMQ_CONFIG, else $XDG_CONFIG_HOME/rmq/contexts.toml, else ~/.config/rmq/contexts.toml. Empty
// when none of these is set.
std::string contexts_path(const ContextEnvironment& environment);

// A file that does not exist has no contexts. Errors: ConfigErrc::Unreadable, Syntax, UnknownKey,
// BadValue; the detail has file and line.
Result<Contexts> load_contexts(FileSystem& files, const std::string& path);
// Makes the directory when it is missing. Errors: errno.
Result<> save_contexts(FileSystem& files, const std::string& path, const Contexts& contexts);

// Letters, digits, '-', '_' and '.': what is wrong with a name, or nothing: "".
std::string check_context_name(const std::string& name);

// The name servers that `options` mean: --namesrv, --context, $NAMESRV_ADDR, the current context,
// 127.0.0.1:9876. Errors: those of load_contexts(); ContextErrc::Unknown.
Result<std::string> choose_name_servers(const CommonOptions& options,
                                        const ContextEnvironment& environment, FileSystem& files);

}  // namespace rmq::cli
