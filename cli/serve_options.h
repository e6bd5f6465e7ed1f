// The options of `rmq serve`: what was typed (RawServeOptions), and what it comes to (ServeOptions)
// once config files are read, roles are known and every address and directory is filled in.
// cli/serve.cpp starts what is in there.
//
// Without --role and --config everything listens on loopback. A role or a config file that names no
// address listens on all interfaces and advertises the address that reaches the name server (the
// machine's primary one when that is here). What is typed beats what a file says. Threads: none of
// its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "roles/broker/broker_config.h"
#include "roles/controller/controller_config.h"
#include "roles/namesrv/namesrv_config.h"

namespace rmq::cli {

struct RawServeOptions {
  std::vector<std::string> roles;     // --role=R[,R]
  std::vector<std::string> configs;   // --config [ROLE=]FILE
  std::string data;                   // --data
  std::string listen;                 // --listen
  std::string advertise;              // --advertise
  std::string namesrv;                // --namesrv
  std::string controller;             // --controller
  std::string etcd;                   // --etcd
  std::optional<std::uint16_t> port;  // --port
  std::optional<int> ready_fd;        // --ready-fd
};

// What resolve() takes from outside the options.
struct Environment {
  std::string home;          // HOME
  std::string namesrv_addr;  // NAMESRV_ADDR
  std::string host_name;
  std::string working_directory;

  static Environment current();
};

struct ServeOptions {
  // Present for the roles that run. Paths are absolute, broker_name and broker_ip1 are filled in;
  // port 0 means a free one.
  std::optional<roles::namesrv::NamesrvConfig> namesrv;
  std::optional<roles::broker::BrokerConfig> broker;
  // Also for a name server with a controller in it.
  std::optional<roles::controller::ControllerConfig> controller;
  // The broker registers with the name server of this process: its namesrv_addr is empty until that
  // one's port is known.
  bool broker_uses_own_namesrv = false;
  // Where this process keeps its data: for people and for the ready line.
  std::string data_directory;
  std::optional<int> ready_fd;
  // For the log, one line each: what was decided that somebody may want otherwise, and what a
  // config file asks for in vain.
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
};

// Adds the options to `command`. `raw` must live as long as `command`.
void add_serve_options(const Command& command, RawServeOptions& raw);

// Errors: ConfigErrc; the detail says which option or file and what would be right. All are usage
// errors.
Result<ServeOptions> resolve(const RawServeOptions& raw, const Environment& environment);
inline Result<ServeOptions> resolve(const RawServeOptions& raw) {
  return resolve(raw, Environment::current());
}

}  // namespace rmq::cli
