// ControllerConfig: the settings of one controller, with RocketMQ's names (ControllerConfig.java)
// where it has them. A plain struct; controller_config.cpp has one row per field.
// Threads: read on the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rmq::config {
class Rows;
struct JavaKeys;
}  // namespace rmq::config

namespace rmq::roles::controller {

struct ControllerConfig {
  std::string listen_address = "0.0.0.0";
  std::uint16_t listen_port = 9878;  // 0: a free one; unless `peers` names one
  // The host that brokers are told when `peers` is empty. Empty: what listens.
  std::string advertised_host;
  std::string group = "controllers";
  std::string self_id = "n0";
  // "n0-host:port;n1-...", as RocketMQ writes them; several need etcd. Empty: this process alone.
  std::string peers;
  // As etcd::parse_endpoints() takes them. Empty: the broker sets are in a file.
  std::string etcd_endpoints;
  // The directory of that file. `rmq serve` fills it in.
  std::string store_path;

  // A replica that is not in the SyncStateSet may become master, and records are lost.
  bool enable_elect_unclean_master = false;
  // Brokers are told of elections.
  bool notify_broker_role_changed = true;
  // A broker is dead after the time-out that its heartbeats name, but at most this; 0: as they say.
  std::chrono::milliseconds heartbeat_timeout_max{0};
  // A broker that was not heard of since this controller started counts as dead after this.
  std::chrono::milliseconds first_heartbeat_timeout{5'000};
  // A look at who lives that comes so late was held up in this process, which heard nobody
  // meanwhile. No setting; tests with a clock of their own change it.
  std::chrono::milliseconds standstill{300};
  // Keys of a Java file that rmq does not use: shown by GET_CONTROLLER_CONFIG as they were given.
  std::vector<std::pair<std::string, std::string>> other_keys;
};

// One entry of `peers`.
struct Peer {
  std::string id;
  std::string host;
  std::uint16_t port = 0;

  std::string address() const { return host + ":" + std::to_string(port); }
  friend bool operator==(const Peer&, const Peer&) = default;
};
// "n0-10.0.0.1:9878;n1-..." apart. Errors: ConfigErrc::BadValue.
Result<std::vector<Peer>> parse_peers(const std::string& text);

// Takes the port from `peers`. Errors: ConfigErrc::BadValue: no peer has the own id;
// ConfigErrc::Refused: there are several, but no etcd.
Result<> settle_peers(ControllerConfig& config);

// The rows of controller_config.cpp, bound to `config`, which must outlive them. `in_namesrv`:
// those that a name server's Java file may have, which says elsewhere where it listens.
config::Rows rows(ControllerConfig& config, bool in_namesrv = false);
// The other keys of a controller.conf, and what becomes of each.
config::JavaKeys java_keys();

}  // namespace rmq::roles::controller
