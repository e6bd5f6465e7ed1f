#include "roles/namesrv/namesrv_config.h"

#include "config/field.h"
#include "config/load.h"

namespace rmq::roles::namesrv {
namespace {

using config::any_text;
using config::Field;
using config::Handling;
using config::host_or_empty;
using config::JavaKey;
using config::Kind;
using config::Reload;
using namespace std::chrono_literals;

constexpr std::tuple kNamesrvFields{
    Field{"namesrv.listen_address", "bindAddress", &NamesrvConfig::listen_address, Kind::Text,
          host_or_empty, Reload::Restart, "0.0.0.0: all interfaces."},
    Field{"namesrv.listen_port", "listenPort", &NamesrvConfig::listen_port, 0, 65535,
          Reload::Restart, "0: a free one."},
    Field{"namesrv.kv_config_path", "kvConfigPath", &NamesrvConfig::kv_config_path, Kind::Text,
          any_text, Reload::Restart,
          "The file of the KV table. Empty: `namesrv/kvConfig.json` below --data (a Java file "
          "without "
          "it: below `$HOME`)."},
    Field{"namesrv.scan_not_active_broker_interval_ms", "scanNotActiveBrokerInterval",
          &NamesrvConfig::scan_not_active_broker_interval, 1ms, 600'000ms, Reload::Live,
          "How often brokers are checked for missing heartbeats."},
    Field{"namesrv.order_message_enable", "orderMessageEnable",
          &NamesrvConfig::order_message_enable, Reload::Live,
          "Adds the KV table's order configuration to routes."},
    Field{"namesrv.return_order_topic_config_to_broker", "returnOrderTopicConfigToBroker",
          &NamesrvConfig::return_order_topic_config_to_broker, Reload::Live,
          "Answers a registration with the order configuration."},
    Field{"namesrv.enable_all_topic_list", "enableAllTopicList",
          &NamesrvConfig::enable_all_topic_list, Reload::Live,
          "Answers requests for the list of all topics."},
    Field{"namesrv.enable_topic_list", "enableTopicList", &NamesrvConfig::enable_topic_list,
          Reload::Live, "Answers requests for a cluster's topics and for system and unit topics."},
    Field{"namesrv.delete_topic_with_broker_registration", "deleteTopicWithBrokerRegistration",
          &NamesrvConfig::delete_topic_with_broker_registration, Reload::Live,
          "A topic that a broker no longer registers leaves the routes."},
    Field{"namesrv.support_acting_master", "supportActingMaster",
          &NamesrvConfig::support_acting_master, Reload::Live,
          "Routes show the living slave with the smallest id as master while there is none."},
    Field{"namesrv.notify_min_broker_id_changed", "notifyMinBrokerIdChanged",
          &NamesrvConfig::notify_min_broker_id_changed, Reload::Live,
          "Tells a broker's replicas when their smallest id changes."},
    Field{"namesrv.need_wait_for_service", "needWaitForService",
          &NamesrvConfig::need_wait_for_service, Reload::Live,
          "Refuses routes for a while after the start, until brokers had time to register."},
    Field{"namesrv.wait_seconds_for_service", "waitSecondsForService",
          &NamesrvConfig::wait_seconds_for_service, 0s, 3600s, Reload::Live,
          "That while, in seconds."},
    Field{"namesrv.enable_controller_in_namesrv", "enableControllerInNamesrv",
          &NamesrvConfig::enable_controller_in_namesrv, Reload::Restart,
          "This process is a controller too, on a port of its own."},
};

constexpr std::string_view kFileInsteadOfRaft =
    "the controller keeps its broker sets in a file, not in a Raft log";

constexpr JavaKey kNamesrvJavaKeys[] = {
    {"serverChannelMaxIdleTimeSeconds", "120", Handling::Missing,
     "an idle connection is closed after 120 s; another time cannot be set"},
    {"clusterTest", "false", Handling::Missing,
     "routes are not asked of another environment's name servers"},
    {"controllerType", "DLedger", Handling::Missing, kFileInsteadOfRaft},
    {"electMasterMaxRetryCount", "3", Handling::Missing,
     "elections are tried until there is a master"},
    {"scanInactiveMasterInterval", "5000", Handling::Missing,
     "a missing master is noticed within 0.05 s"},
    {"jRaftGroupId", "", Handling::Missing, kFileInsteadOfRaft},
    {"jRaftServerId", "localhost:9880", Handling::Missing, kFileInsteadOfRaft},
    {"jRaftInitConf", "localhost:9880,localhost:9881,localhost:9882", Handling::Missing,
     kFileInsteadOfRaft},
    {"jRaftControllerRPCAddr", "localhost:9770,localhost:9771,localhost:9772", Handling::Missing,
     kFileInsteadOfRaft},
    {"jRaftSnapshotIntervalSecs", "3600", Handling::Missing, kFileInsteadOfRaft},
    {"jRaftElectionTimeoutMs", "1000", Handling::Missing, kFileInsteadOfRaft},
};

// clang-format off
constexpr std::string_view kNamesrvTuningKeys[] = {
    "configStorePath", "rocketmqHome", "productEnvName", "clientRequestThreadPoolNums",
    "defaultThreadPoolNums", "clientRequestThreadPoolQueueCapacity",
    "defaultThreadPoolQueueCapacity", "unRegisterBrokerQueueCapacity",
    "controllerThreadPoolNums", "controllerRequestThreadPoolQueueCapacity", "mappedFileSize",
    "serverWorkerThreads", "serverCallbackExecutorThreads", "serverSelectorThreads",
    "serverOnewaySemaphoreValue", "serverAsyncSemaphoreValue", "serverSocketSndBufSize",
    "serverSocketRcvBufSize", "serverSocketBacklog", "writeBufferHighWaterMark",
    "writeBufferLowWaterMark", "serverNettyWorkerGroupEnable",
    "serverPooledByteBufAllocatorEnable", "enableShutdownGracefully", "shutdownWaitTimeSeconds",
    "useEpollNativeSelector",
};
// clang-format on

}  // namespace

config::Rows rows(NamesrvConfig& config) { return config::bind(config, kNamesrvFields); }

config::JavaKeys java_keys() { return {kNamesrvJavaKeys, kNamesrvTuningKeys}; }

}  // namespace rmq::roles::namesrv
