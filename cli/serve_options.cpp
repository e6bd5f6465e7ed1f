#include "cli/serve_options.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/java_compat.h"
#include "cli/local_address.h"
#include "cli/role_configs.h"
#include "cli/serve_roles.h"
#include "config/load.h"
#include "etcd/etcd_client.h"

namespace rmq::cli {
namespace {

namespace fs = std::filesystem;
using config::ConfigErrc;
using roles::broker::BrokerConfig;
using roles::controller::ControllerConfig;
using roles::namesrv::NamesrvConfig;

constexpr const char* kLoopback = "127.0.0.1";
constexpr const char* kAllInterfaces = "0.0.0.0";
constexpr std::uint16_t kLeastBrokerPort = 3;  // the VIP port is two below

// The options that need no file to be judged.
Result<> check(const RawServeOptions& raw, const ChosenRoles& chosen) {
  if (!raw.listen.empty() && !is_ip_address(raw.listen)) {
    return fail(ConfigErrc::BadValue, "--listen: '" + raw.listen + "' is not an IP address");
  }
  const std::string advertise_problem = config::host_or_empty(raw.advertise);
  if (!advertise_problem.empty()) {
    return fail(ConfigErrc::BadValue,
                "--advertise: '" + raw.advertise + "' is not " + advertise_problem);
  }
  if (is_any_address(raw.advertise)) {
    return fail(ConfigErrc::BadValue, "--advertise: " + raw.advertise +
                                          " is nobody's address; name one clients can reach");
  }
  for (const auto& [option, list] :
       {std::pair{"--namesrv", &raw.namesrv}, {"--controller", &raw.controller}}) {
    const std::string problem = config::address_list(*list);
    if (!problem.empty()) {
      return fail(ConfigErrc::BadValue,
                  std::string(option) + ": '" + *list + "' is not " + problem);
    }
  }
  if (const auto endpoints = etcd::parse_endpoints(raw.etcd); !endpoints) {
    return fail(ConfigErrc::BadValue, "--etcd: " + endpoints.error().detail);
  }
  if (!raw.controller.empty() && !chosen.has(Role::Broker)) {
    return fail(ConfigErrc::Contradiction, "--controller is for a broker, and there is none here");
  }
  if (raw.port.value_or(0) != 0 && chosen.roles.size() > 1) {
    return fail(ConfigErrc::Contradiction,
                "--port " + std::to_string(*raw.port) +
                    " does not say whose port it is; give one --role, or set listen ports in files "
                    "(--port 0 picks free ones for every role)");
  }
  if (raw.ready_fd && ::fcntl(*raw.ready_fd, F_GETFD) < 0) {
    return fail(ConfigErrc::BadValue, "--ready-fd " + std::to_string(*raw.ready_fd) +
                                          ": no such file descriptor is open");
  }
  return {};
}

// The directory that --data names, absolute. A store directory itself is refused: beside it an
// empty store would be made, as if the data were gone.
Result<fs::path> data_directory(const RawServeOptions& raw, const Environment& environment) {
  const fs::path data = (fs::path(environment.working_directory) /
                         (raw.data.empty() ? std::string("rmq-data") : raw.data))
                            .lexically_normal();
  std::error_code ignored;
  if (fs::exists(data / "commitlog", ignored) && !fs::exists(data / "store", ignored)) {
    return fail(ConfigErrc::BadValue,
                "--data: " + data.string() +
                    " is a store itself; give the directory above it if it is "
                    "called 'store', else set store.root_directory in a file");
  }
  return data;
}

// Where one role keeps `path`: as its file says, unless --data is typed; without a word from the
// file, below --data, or below the home directory when the file is Java's.
Result<std::string> place(const std::string& from_file, const char* below, const RoleFile* file,
                          const RawServeOptions& raw, const fs::path& data,
                          const Environment& environment) {
  if (!raw.data.empty()) return (data / below).string();
  if (!from_file.empty()) {
    return (fs::path(environment.working_directory) / from_file).lexically_normal().string();
  }
  if (file == nullptr || file->toml) return (data / below).string();
  if (environment.home.empty()) {
    return fail(ConfigErrc::BadValue,
                file->path + " names no directory and HOME is not set; use --data DIR");
  }
  return (fs::path(environment.home) / below).lexically_normal().string();
}

std::string absolute(const Environment& environment, std::string_view directories) {
  std::string all;
  for (const std::string& one : storage::split_directories(directories)) {
    const fs::path path = fs::path(environment.working_directory) / one;
    all += (all.empty() ? "" : ",") + path.lexically_normal().string();
  }
  return all;
}

Result<> place_data(const RawServeOptions& raw, const ChosenRoles& chosen,
                    const Environment& environment, ServeOptions& options) {
  RMQ_TRY(const fs::path data, data_directory(raw, environment));
  options.data_directory = data.string();
  if (options.namesrv) {
    RMQ_TRY(options.namesrv->kv_config_path,
            place(options.namesrv->kv_config_path, "namesrv/kvConfig.json",
                  chosen.file_for(Role::Namesrv), raw, data, environment));
    if (!options.broker) {
      options.data_directory = fs::path(options.namesrv->kv_config_path).parent_path().string();
    }
  }
  if (options.controller) {
    const RoleFile* own = chosen.file_for(Role::Controller);
    RMQ_TRY(options.controller->store_path,
            place(options.controller->store_path, "controller",
                  own != nullptr ? own : chosen.file_for(Role::Namesrv), raw, data, environment));
    if (!options.broker && !options.namesrv) {
      options.data_directory = options.controller->store_path;
    }
  }
  if (!options.broker) return {};
  storage::StoreConfig& store = options.broker->store;
  RMQ_TRY(store.root_directory, place(store.root_directory, "store", chosen.file_for(Role::Broker),
                                      raw, data, environment));
  if (store.root_directory != (data / "store").string()) {
    options.data_directory = store.root_directory;
  }
  for (std::string* list : {&store.commit_log_directory, &store.commit_log_read_only_directories}) {
    *list = absolute(environment, *list);
  }
  return {};
}

// Ports that the roles of this process would both open.
Result<> check_ports(const ServeOptions& options) {
  std::vector<std::pair<int, std::string_view>> singles;
  if (options.namesrv) singles.emplace_back(options.namesrv->listen_port, "name server");
  if (options.controller) singles.emplace_back(options.controller->listen_port, "controller");
  if (singles.size() == 2 && singles[0].first == singles[1].first && singles[0].first != 0) {
    return fail(ConfigErrc::Contradiction,
                "name server and controller both have port " + std::to_string(singles[0].first));
  }
  if (!options.broker) return {};
  const std::uint16_t port = options.broker->listen_port;
  if (port != 0 && port < kLeastBrokerPort) {
    return fail(ConfigErrc::BadValue,
                "broker port " + std::to_string(port) +
                    ": the VIP port is two below it, so it is 0 or at least 3");
  }
  if (port == 0) return {};
  for (const auto& [other, name] : singles) {
    for (const int used : {port - 2, int{port}, port + 1}) {
      if (other != used) continue;
      return fail(ConfigErrc::Contradiction,
                  "the " + std::string(name) + "'s port " + std::to_string(other) +
                      " is one of the broker's (p-2, p and p+1 of " + std::to_string(port) + ")");
    }
  }
  return {};
}

// The controller's port is that of its own entry in controller.peers; --port is for the one that
// brokers are told otherwise.
Result<> set_controller_port(const RawServeOptions& raw, ServeOptions& options) {
  if (!options.controller) return {};
  ControllerConfig& controller = *options.controller;
  RMQ_CHECK(settle_peers(controller));
  const bool named = raw.port && (!options.namesrv || *raw.port == 0);
  if (!named) return {};
  if (!controller.peers.empty() && controller.listen_port != *raw.port) {
    return fail(ConfigErrc::Contradiction,
                "--port " + std::to_string(*raw.port) +
                    ": controller.peers (controllerDLegerPeers) tells brokers another one: " +
                    controller.peers);
  }
  controller.listen_port = *raw.port;
  return {};
}

Result<> set_ports(const RawServeOptions& raw, ServeOptions& options) {
  RMQ_CHECK(set_controller_port(raw, options));
  if (raw.port) {
    if (options.namesrv) options.namesrv->listen_port = *raw.port;
    if (options.broker) {
      options.broker->listen_port = *raw.port;
      options.broker->ha_listen_port = 0;
    }
  }
  return check_ports(options);
}

void set_listen_addresses(const RawServeOptions& raw, bool loopback_only, ServeOptions& options) {
  const std::string forced = !raw.listen.empty() ? raw.listen : loopback_only ? kLoopback : "";
  for (std::string* address :
       {options.namesrv ? &options.namesrv->listen_address : nullptr,
        options.broker ? &options.broker->listen_address : nullptr,
        options.controller ? &options.controller->listen_address : nullptr}) {
    if (address == nullptr) continue;
    if (!forced.empty()) *address = forced;
    if (address->empty()) *address = kAllInterfaces;
  }
}

// The host of the first name server in "host:port;host:port".
std::string first_host(const std::string& namesrv_addr) {
  const std::string first = namesrv_addr.substr(0, namesrv_addr.find(';'));
  std::string host = first.substr(0, first.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// The address for clients when neither option nor file names one.
std::string choose_advertised(const BrokerConfig& broker, std::vector<std::string>& notes) {
  if (!is_any_address(broker.listen_address)) return broker.listen_address;
  const std::string namesrv = first_host(broker.namesrv_addr);
  // A name server on loopback is this machine's: its clients may be elsewhere.
  if (is_ip_address(namesrv) && !is_loopback(namesrv)) {
    if (auto address = source_address_towards(namesrv)) {
      notes.push_back("the broker advertises " + *address + ", which reaches the name server " +
                      namesrv + "; --advertise overrides it");
      return *address;
    }
  }
  const std::string address = primary_address();
  notes.push_back("the broker advertises " + address +
                  ", this machine's primary address; --advertise overrides it");
  return address;
}

// What brokers are told of the controller.
void set_controller_address(const RawServeOptions& raw, ServeOptions& options) {
  if (!options.controller || !options.controller->peers.empty()) return;
  ControllerConfig& controller = *options.controller;
  if (!raw.advertise.empty()) controller.advertised_host = raw.advertise;
  if (!controller.advertised_host.empty() || !is_any_address(controller.listen_address)) return;
  controller.advertised_host = primary_address();
  options.notes.push_back("the controller advertises " + controller.advertised_host +
                          ", this machine's primary address; --advertise overrides it");
}

Result<> set_broker_addresses(const RawServeOptions& raw, const Environment& environment,
                              ServeOptions& options) {
  if (!options.broker) return {};
  BrokerConfig& broker = *options.broker;
  if (!raw.namesrv.empty()) broker.namesrv_addr = raw.namesrv;
  options.broker_uses_own_namesrv = broker.namesrv_addr.empty() && options.namesrv.has_value();
  if (broker.namesrv_addr.empty() && !options.namesrv) {
    const std::string problem = config::address_list(environment.namesrv_addr);
    if (!problem.empty()) {
      return fail(ConfigErrc::BadValue,
                  "NAMESRV_ADDR: '" + environment.namesrv_addr + "' is not " + problem);
    }
    broker.namesrv_addr = environment.namesrv_addr;
    if (broker.namesrv_addr.empty()) {
      options.warnings.push_back(
          "the broker has no name server and clients will not find it; use --namesrv HOST:PORT");
    }
  }
  if (!raw.advertise.empty()) broker.broker_ip1 = broker.broker_ip2 = raw.advertise;
  if (broker.broker_ip1.empty()) broker.broker_ip1 = choose_advertised(broker, options.notes);
  if (broker.broker_ip2.empty()) broker.broker_ip2 = broker.broker_ip1;
  // Java's 0.0.0.0 means IPv6 as well.
  const bool v6 =
      is_ip_address(broker.broker_ip1) && broker.broker_ip1.find(':') != std::string::npos;
  if (v6 && raw.listen.empty() && broker.listen_address == kAllInterfaces)
    broker.listen_address = "::";
  if (broker.broker_name.empty()) {
    broker.broker_name =
        environment.host_name.empty() ? std::string("DEFAULT_BROKER") : environment.host_name;
  }
  return {};
}

}  // namespace

Environment Environment::current() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::array<char, 256> host{};
  const bool named = ::gethostname(host.data(), host.size() - 1) == 0;
  std::error_code ignored;
  return {.home = variable("HOME"),
          .namesrv_addr = variable("NAMESRV_ADDR"),
          .host_name = named ? host.data() : "",
          .working_directory = fs::current_path(ignored).string()};
}

Result<ServeOptions> resolve(const RawServeOptions& raw, const Environment& environment) {
  RMQ_TRY(const ChosenRoles chosen, choose_roles(raw.roles, raw.configs));
  RMQ_CHECK(check(raw, chosen));

  ServeOptions options;
  options.ready_fd = raw.ready_fd;
  RoleConfigs configs;
  RMQ_CHECK(load_files(chosen, configs, options.warnings));
  const bool in_namesrv = chosen.has(Role::Namesrv) && configs.namesrv.enable_controller_in_namesrv;
  if (in_namesrv && !chosen.has(Role::Controller)) {
    configs.controller.listen_address = configs.namesrv.listen_address;
  }
  if (in_namesrv || chosen.has(Role::Controller)) {
    if (!raw.etcd.empty()) configs.controller.etcd_endpoints = raw.etcd;
    options.controller = std::move(configs.controller);
  } else if (!raw.etcd.empty()) {
    return fail(ConfigErrc::Contradiction, "--etcd is for a controller, and there is none here");
  }
  if (chosen.has(Role::Namesrv)) options.namesrv = std::move(configs.namesrv);
  if (chosen.has(Role::Broker)) {
    if (!raw.controller.empty()) {
      configs.broker.enable_controller_mode = true;
      configs.broker.controller_addr = raw.controller;
    }
    RMQ_CHECK(settle_broker_role(chosen, configs.broker, options.warnings));
    options.broker = std::move(configs.broker);
  }

  const bool loopback_only = raw.roles.empty() && raw.configs.empty();
  RMQ_CHECK(place_data(raw, chosen, environment, options));
  RMQ_CHECK(set_ports(raw, options));
  set_listen_addresses(raw, loopback_only, options);
  RMQ_CHECK(set_broker_addresses(raw, environment, options));
  set_controller_address(raw, options);
  return options;
}

void add_serve_options(const Command& command, RawServeOptions& raw) {
  command
      .option("--role", raw.roles,
              "What this process is: namesrv, master, slave, controller; several separated by ','. "
              "Without --role and --config: namesrv and master, on loopback only")
      .separated_by(',')
      .type("ROLE");
  command
      .option("--config", raw.configs,
              "[ROLE=]FILE, once per role: .toml, or RocketMQ's broker.conf, namesrv.conf or "
              "controller.conf as it is")
      .type("[ROLE=]FILE");
  command
      .option(
          "--data", raw.data,
          "Directory of all data: store/, namesrv/ and controller/ below it (default ./rmq-data)")
      .type("DIR");
  command.option("--port", raw.port, "Port of the one role; 0: free ports for every role")
      .within(0, 65'535)
      .type("PORT");
  command.option("--listen", raw.listen, "Address to listen on, for every role").type("IP");
  command.option("--advertise", raw.advertise, "Address that clients are told").type("HOST");
  command
      .option("--namesrv", raw.namesrv,
              "Name servers the broker registers with (default: the one in this process, else "
              "NAMESRV_ADDR)")
      .type("HOST:PORT[;...]");
  command
      .option("--controller", raw.controller,
              "Controllers by which this broker and those of its name elect their master, whatever "
              "--role says")
      .type("HOST:PORT[;...]");
  command
      .option("--etcd", raw.etcd,
              "Where this controller and the others of its group keep their broker sets (default: "
              "a file of this one)")
      .type("URL[,...]");
  command
      .option("--ready-fd", raw.ready_fd,
              "Write one line of JSON with the addresses to this file descriptor when ready")
      .type("FD");
}

}  // namespace rmq::cli
