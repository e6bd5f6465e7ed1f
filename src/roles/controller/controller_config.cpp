#include "roles/controller/controller_config.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "config/config_errc.h"
#include "config/field.h"
#include "config/load.h"
#include "etcd/etcd_client.h"

namespace rmq::roles::controller {
namespace {

using config::any_text;
using config::ConfigErrc;
using config::Field;
using config::Handling;
using config::host_or_empty;
using config::JavaKey;
using config::Kind;
using config::Reload;
using namespace std::chrono_literals;

// "n0-host:port" apart; nothing: it is none.
std::optional<Peer> parse_peer(std::string_view word) {
  const std::size_t dash = word.find('-');
  const std::size_t colon = word.rfind(':');
  if (dash == std::string_view::npos || colon == std::string_view::npos || dash == 0 ||
      colon <= dash + 1) {
    return std::nullopt;
  }
  Peer peer;
  peer.id = word.substr(0, dash);
  peer.host = word.substr(dash + 1, colon - dash - 1);
  const std::string_view digits = word.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), peer.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || peer.port == 0) {
    return std::nullopt;
  }
  return peer;
}

std::string peer_list(std::string_view text) {
  const Result<std::vector<Peer>> peers = parse_peers(std::string(text));
  return peers ? "" : "a list like n0-10.0.0.1:9878;n1-10.0.0.2:9878";
}

std::string endpoint_list(std::string_view text) {
  const Result<std::vector<std::string>> endpoints = etcd::parse_endpoints(text);
  return endpoints ? "" : "a list like http://10.0.0.1:2379,http://10.0.0.2:2379";
}

std::string non_empty(std::string_view text) { return text.empty() ? "a name" : ""; }

constexpr std::tuple kControllerFields{
    Field{"controller.listen_address", "bindAddress", &ControllerConfig::listen_address, Kind::Text,
          host_or_empty, Reload::Restart, "0.0.0.0: all interfaces."},
    Field{"controller.listen_port", "", &ControllerConfig::listen_port, 0, 65535, Reload::Restart,
          "0: a free one. With `controller.peers` it is the port of the own entry there."},
    Field{"controller.advertised_host", "", &ControllerConfig::advertised_host, Kind::Text,
          host_or_empty, Reload::Restart,
          "The host that brokers and tools are told, unless `controller.peers` says it. Empty: the "
          "address it listens on."},
    Field{"controller.group", "controllerDLegerGroup", &ControllerConfig::group, Kind::Text,
          any_text, Reload::Restart, "The name of the group of controllers; tools show it."},
    Field{"controller.self_id", "controllerDLegerSelfId", &ControllerConfig::self_id, Kind::Text,
          non_empty, Reload::Restart, "This controller's name in the group."},
    Field{"controller.peers", "controllerDLegerPeers", &ControllerConfig::peers, Kind::Text,
          peer_list, Reload::Restart,
          "`n0-host:port;n1-host:port`: ids and addresses of all controllers, this one among them. "
          "More than one needs `controller.etcd_endpoints`: a file has one owner."},
    Field{"controller.etcd_endpoints", "controllerEtcdEndpoints", &ControllerConfig::etcd_endpoints,
          Kind::Text, endpoint_list, Reload::Restart,
          "`http://host:2379,http://host:2379`: the broker sets are kept in this etcd, for any "
          "number of controllers with the same `controller.group`, each of which may act. Without "
          "TLS: let nobody else reach it. Empty: in a file of this controller."},
    Field{"controller.store_path", "controllerStorePath", &ControllerConfig::store_path, Kind::Text,
          any_text, Reload::Restart,
          "The directory of the broker sets. Empty: `controller/` below --data (a Java file "
          "without it: below `$HOME`)."},
    Field{"controller.enable_elect_unclean_master", "enableElectUncleanMaster",
          &ControllerConfig::enable_elect_unclean_master, Reload::Live,
          "When no member of the SyncStateSet lives, another replica becomes master: messages that "
          "were acknowledged are lost."},
    Field{"controller.notify_broker_role_changed", "notifyBrokerRoleChanged",
          &ControllerConfig::notify_broker_role_changed, Reload::Live,
          "Tells brokers of elections; without it they learn of them when they ask."},
    Field{"controller.heartbeat_timeout_max_ms", "", &ControllerConfig::heartbeat_timeout_max, 0ms,
          600'000ms, Reload::Live,
          "A silent broker is dead after the time-out that it asked for (rmq 1 s, RocketMQ 10 s), "
          "but at most after this. 0: as it asked. Less than 2000 is too little for RocketMQ's "
          "brokers: they speak once a second."},
    Field{"controller.first_heartbeat_timeout_ms", "", &ControllerConfig::first_heartbeat_timeout,
          100ms, 600'000ms, Reload::Restart,
          "A broker that was not heard of since the controller started is dead after this."},
};

constexpr std::string_view kFileInsteadOfRaft =
    "broker sets are kept in a file of this process or in etcd, not in a Raft log";
constexpr std::string_view kAlwaysCurrent = "what is read is always what is stored";

constexpr JavaKey kControllerJavaKeys[] = {
    {"controllerType", "DLedger", Handling::Missing, kFileInsteadOfRaft},
    {"scanNotActiveBrokerInterval", "5000", Handling::Missing,
     "silent brokers are noticed within 0.05 s"},
    {"scanInactiveMasterInterval", "5000", Handling::Missing,
     "a missing master is noticed within 0.05 s"},
    {"electMasterMaxRetryCount", "3", Handling::Missing,
     "elections are tried until there is a master"},
    {"isProcessReadEvent", "false", Handling::Missing, kAlwaysCurrent},
    {"processReadEvent", "false", Handling::Missing, kAlwaysCurrent},
    {"metricsExporterType", "DISABLE", Handling::Missing, "there are no metrics of a controller"},
    {"jRaftGroupId", "", Handling::Missing, kFileInsteadOfRaft},
    {"jRaftServerId", "localhost:9880", Handling::Missing, kFileInsteadOfRaft},
    {"jRaftInitConf", "localhost:9880,localhost:9881,localhost:9882", Handling::Missing,
     kFileInsteadOfRaft},
    {"jRaftControllerRPCAddr", "localhost:9770,localhost:9771,localhost:9772", Handling::Missing,
     kFileInsteadOfRaft},
};

// clang-format off
constexpr std::string_view kControllerTuningKeys[] = {
    "configStorePath", "configBlackList", "rocketmqHome", "listenPort", "mappedFileSize",
    "controllerThreadPoolNums", "controllerRequestThreadPoolQueueCapacity",
    "metricsGrpcExporterTarget", "metricsGrpcExporterHeader", "metricGrpcExporterTimeOutInMills",
    "metricGrpcExporterIntervalInMills", "metricLoggingExporterIntervalInMills",
    "metricsPromExporterPort", "metricsPromExporterHost", "metricsLabel", "metricsInDelta",
    "jRaftElectionTimeoutMs", "jRaftScanWaitTimeoutMs", "jRaftSnapshotIntervalSecs",
    "serverWorkerThreads", "serverCallbackExecutorThreads", "serverSelectorThreads",
    "serverOnewaySemaphoreValue", "serverAsyncSemaphoreValue", "serverChannelMaxIdleTimeSeconds",
    "serverSocketSndBufSize", "serverSocketRcvBufSize", "serverSocketBacklog",
    "writeBufferHighWaterMark", "writeBufferLowWaterMark", "serverNettyWorkerGroupEnable",
    "serverPooledByteBufAllocatorEnable", "enableShutdownGracefully", "shutdownWaitTimeSeconds",
    "useEpollNativeSelector",
};
// clang-format on

}  // namespace

Result<std::vector<Peer>> parse_peers(const std::string& text) {
  std::vector<Peer> peers;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (word.empty()) continue;
    const std::optional<Peer> peer = parse_peer(word);
    if (!peer) {
      return fail(ConfigErrc::BadValue, "'" + std::string(word) + "' is not like n0-host:port");
    }
    peers.push_back(*peer);
  }
  return peers;
}

Result<> settle_peers(ControllerConfig& config) {
  RMQ_TRY(const std::vector<Peer> peers, parse_peers(config.peers));
  if (peers.empty()) return {};
  const auto self = std::ranges::find(peers, config.self_id, &Peer::id);
  if (self == peers.end()) {
    return fail(ConfigErrc::BadValue, "controller.self_id (controllerDLegerSelfId): '" +
                                          config.self_id + "' is not in controller.peers (" +
                                          config.peers + ")");
  }
  if (peers.size() > 1 && config.etcd_endpoints.empty()) {
    return fail(ConfigErrc::Refused,
                "controller.peers (controllerDLegerPeers) names " + std::to_string(peers.size()) +
                    " controllers. Several keep the broker sets in etcd, which "
                    "controller.etcd_endpoints (controllerEtcdEndpoints) names; for one with a "
                    "file of its own, name only " +
                    self->id + "-" + self->address());
  }
  config.listen_port = self->port;
  return {};
}

config::Rows rows(ControllerConfig& config, bool in_namesrv) {
  const config::Rows all = config::bind(config, kControllerFields);
  if (!in_namesrv) return all;
  config::Rows some;
  for (const config::Row& row : all.all()) {
    if (!row.java_key.empty() && row.java_key != "bindAddress") some.add(row);
  }
  return some;
}

config::JavaKeys java_keys() { return {kControllerJavaKeys, kControllerTuningKeys}; }

}  // namespace rmq::roles::controller
