#include "roles/broker/broker_config.h"

#include <limits>

#include "config/field.h"

namespace rmq::roles::broker {
namespace {

using config::address_list;
using config::any_text;
using config::Choice;
using config::Field;
using config::host_or_empty;
using config::Kind;
using config::Reload;
using namespace std::chrono_literals;

constexpr Choice<BrokerRole> kBrokerRoles[] = {
    {BrokerRole::AsyncMaster, "ASYNC_MASTER"},
    {BrokerRole::SyncMaster, "SYNC_MASTER"},
    {BrokerRole::Slave, "SLAVE"},
};

// Who the broker is, and where.
constexpr std::tuple kIdentityFields{
    Field{"broker.cluster", "brokerClusterName", &BrokerConfig::cluster_name, Kind::Text, any_text,
          Reload::Restart, "The cluster this broker belongs to."},
    Field{"broker.name", "brokerName", &BrokerConfig::broker_name, Kind::Text, any_text,
          Reload::Restart, "Shared by a master and its slaves. Empty: the host's name."},
    Field{"broker.id", "brokerId", &BrokerConfig::broker_id, -1,
          std::numeric_limits<std::int64_t>::max(), Reload::Restart,
          "0 is the master. Controllers give each broker an id, whatever this says."},
    Field{
        "broker.role", "brokerRole", &BrokerConfig::broker_role, kBrokerRoles, Reload::Live,
        "SYNC_MASTER acknowledges what slaves have, too. A SLAVE follows the master of its name."},
    Field{"broker.advertise", "brokerIP1", &BrokerConfig::broker_ip1, Kind::Text, host_or_empty,
          Reload::Restart,
          "The address told to clients. Empty: the local address that reaches the name server."},
    Field{"broker.advertise_ha", "brokerIP2", &BrokerConfig::broker_ip2, Kind::Text, host_or_empty,
          Reload::Restart, "The address told to slaves. Empty: as told to clients."},
    Field{"broker.listen_address", "bindAddress", &BrokerConfig::listen_address, Kind::Text,
          host_or_empty, Reload::Restart, "0.0.0.0: all interfaces."},
    Field{"broker.listen_port", "listenPort", &BrokerConfig::listen_port, 0, 65534, Reload::Restart,
          "The port told to clients; they compute the VIP port, this one minus 2. 0: free ones."},
    Field{"broker.ha_listen_port", "haListenPort", &BrokerConfig::ha_listen_port, 0, 65535,
          Reload::Restart, "0: listen_port + 1."},
    Field{"broker.namesrv", "namesrvAddr", &BrokerConfig::namesrv_addr, Kind::List, address_list,
          Reload::Restart, "Every name server, as host:port. Empty: --namesrv, then NAMESRV_ADDR."},
    Field{"broker.data_threads", "", &BrokerConfig::data_threads, 0, 1024, Reload::Restart,
          "Threads that serve sends and pulls. 0: one per core."},
};

// What clients may do, and how they are served.
constexpr std::tuple kServiceFields{
    Field{"broker.permission", "brokerPermission", &BrokerConfig::broker_permission, 0, 6,
          Reload::Live, "Bits: 2 write, 4 read."},
    Field{"broker.auto_create_topic_enable", "autoCreateTopicEnable",
          &BrokerConfig::auto_create_topic_enable, Reload::Live, "The first send makes the topic."},
    Field{"broker.default_topic_queue_nums", "defaultTopicQueueNums",
          &BrokerConfig::default_topic_queue_nums, 1, 65536, Reload::Restart,
          "Most queues of a topic made by its first send."},
    Field{"broker.auto_create_subscription_group", "autoCreateSubscriptionGroup",
          &BrokerConfig::auto_create_subscription_group, Reload::Live,
          "The first use makes the consumer group."},
    Field{"broker.cluster_topic_enable", "clusterTopicEnable", &BrokerConfig::cluster_topic_enable,
          Reload::Restart, "Keeps a topic with the cluster's name."},
    Field{"broker.broker_topic_enable", "brokerTopicEnable", &BrokerConfig::broker_topic_enable,
          Reload::Restart, "Keeps a topic with the broker's name."},
    Field{"broker.trace_topic_enable", "traceTopicEnable", &BrokerConfig::trace_topic_enable,
          Reload::Restart, "Makes the topic for message traces at the start."},
    Field{"broker.msg_trace_topic_name", "msgTraceTopicName", &BrokerConfig::msg_trace_topic_name,
          Kind::Text, any_text, Reload::Restart, "The topic for message traces."},
    Field{"broker.region_id", "regionId", &BrokerConfig::region_id, Kind::Text, any_text,
          Reload::Restart, "Told to producers, for their traces."},
    Field{"broker.trace_on", "traceOn", &BrokerConfig::trace_on, Reload::Restart,
          "Tells producers to trace."},
    Field{"broker.long_polling_enable", "longPollingEnable", &BrokerConfig::long_polling_enable,
          Reload::Live, "A pull that finds nothing waits for a message, as long as it asked to."},
    Field{"broker.short_polling_ms", "shortPollingTimeMills", &BrokerConfig::short_polling, 1ms,
          600'000ms, Reload::Restart, "How long it waits when long polling is off."},
    Field{"broker.lite_pull_message_enable", "litePullMessageEnable",
          &BrokerConfig::lite_pull_message_enable, Reload::Live, "Serves lite pull consumers."},
    Field{"broker.enable_property_filter", "enablePropertyFilter",
          &BrokerConfig::enable_property_filter, Reload::Restart,
          "Allows SQL92 filters, which this version does not have: they are refused either way."},
    Field{"broker.slave_read_enable", "slaveReadEnable", &BrokerConfig::slave_read_enable,
          Reload::Live,
          "A slave serves consumers, and the master sends to it those that are far behind."},
    Field{"broker.notify_consumer_ids_changed_enable", "notifyConsumerIdsChangedEnable",
          &BrokerConfig::notify_consumer_ids_changed_enable, Reload::Live,
          "Tells a group's consumers when one of them comes or goes."},
    Field{"broker.reject_pull_consumer_enable", "rejectPullConsumerEnable",
          &BrokerConfig::reject_pull_consumer_enable, Reload::Live,
          "Refuses consumers that pull by themselves."},
    Field{"broker.use_server_side_reset_offset", "useServerSideResetOffset",
          &BrokerConfig::use_server_side_reset_offset, Reload::Live,
          "A reset of offsets is kept here; otherwise the group's consumers are told to do it."},
    Field{"broker.store_reply_message_enable", "storeReplyMessageEnable",
          &BrokerConfig::store_reply_message_enable, Reload::Live,
          "Keeps replies in the reply topic, besides pushing them to who asked."},
};

// Replication.
constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::tuple kReplicationFields{
    Field{"broker.ha_master_address", "haMasterAddress", &BrokerConfig::ha_master_address,
          Kind::Text, address_list, Reload::Restart,
          "Where a slave gets the log, as host:port. Empty: what the name server says."},
    Field{"broker.in_sync_replicas", "inSyncReplicas", &BrokerConfig::in_sync_replicas, 1, 16,
          Reload::Live,
          "A SYNC_MASTER acknowledges what so many replicas have, itself among them."},
    Field{"broker.slave_timeout_ms", "slaveTimeout", &BrokerConfig::slave_timeout, 1ms, 600'000ms,
          Reload::Restart, "How long a send waits for slaves; then it is answered with code 12."},
    Field{"broker.ha_max_gap_not_in_sync", "haMaxGapNotInSync",
          &BrokerConfig::ha_max_gap_not_in_sync, 0, std::numeric_limits<std::int64_t>::max(),
          Reload::Restart,
          "A slave that lags further behind, in bytes, is not waited for: sends are refused then."},
    Field{"broker.ha_send_heartbeat_interval_ms", "haSendHeartbeatInterval",
          &BrokerConfig::ha_send_heartbeat_interval, 10ms, 600'000ms, Reload::Restart,
          "Master and slave tell each other that they are there, when there is nothing else."},
    Field{"broker.ha_housekeeping_interval_ms", "haHousekeepingInterval",
          &BrokerConfig::ha_housekeeping_interval, 100ms, 600'000ms, Reload::Restart,
          "A master or slave that is silent for so long is taken for gone."},
    Field{"broker.ha_transfer_batch_bytes", "haTransferBatchSize",
          &BrokerConfig::ha_transfer_batch_bytes, 1024, 2 * kMiB, Reload::Restart,
          "Most bytes of the log sent to a slave at once."},
    Field{"broker.ha_flow_control_enable", "haFlowControlEnable",
          &BrokerConfig::ha_flow_control_enable, Reload::Restart,
          "Limits the bandwidth of replication."},
    Field{"broker.max_ha_transfer_bytes_per_second", "maxHaTransferByteInSecond",
          &BrokerConfig::max_ha_transfer_bytes_per_second, 1024, 1024 * 1024 * kMiB,
          Reload::Restart, "That limit, for each slave."},
};

// Automatic failover.
constexpr std::tuple kControlledFields{
    Field{"broker.enable_controller_mode", "enableControllerMode",
          &BrokerConfig::enable_controller_mode, Reload::Live,
          "Controllers say who of a broker set is master, and a slave takes over by itself."},
    Field{"broker.controller", "controllerAddr", &BrokerConfig::controller_addr, Kind::List,
          address_list, Reload::Live,
          "Every controller, as host:port. While running it is changed together with "
          "`broker.enable_controller_mode` only."},
    Field{"broker.all_ack_in_sync_state_set", "allAckInSyncStateSet",
          &BrokerConfig::all_ack_in_sync_state_set, Reload::Live,
          "A send waits for all replicas of the SyncStateSet; so it does with SYNC_MASTER."},
    Field{"broker.min_in_sync_replicas", "minInSyncReplicas", &BrokerConfig::min_in_sync_replicas,
          1, 16, Reload::Live, "With fewer replicas in the SyncStateSet such sends are refused."},
    Field{"broker.broker_heartbeat_interval_ms", "brokerHeartbeatInterval",
          &BrokerConfig::broker_heartbeat_interval, 10ms, 600'000ms, Reload::Restart,
          "How often controllers hear of the broker."},
    Field{"broker.controller_heartbeat_timeout_ms", "controllerHeartBeatTimeoutMills",
          &BrokerConfig::controller_heartbeat_timeout, 100ms, 600'000ms, Reload::Restart,
          "A broker that controllers do not hear of for so long is taken for dead."},
    Field{"broker.election_priority", "brokerElectionPriority",
          &BrokerConfig::broker_election_priority, 0, std::numeric_limits<std::int32_t>::max(),
          Reload::Restart, "Of replicas with the same log the one with the lowest wins."},
    Field{"broker.ha_max_time_slave_not_catchup_ms", "haMaxTimeSlaveNotCatchup",
          &BrokerConfig::ha_max_time_slave_not_catchup, 100ms, 3'600'000ms, Reload::Restart,
          "A replica that lags behind for so long leaves the SyncStateSet."},
};

// What happens at intervals.
constexpr std::tuple kPeriodFields{
    Field{"broker.register_namesrv_period_ms", "registerNameServerPeriod",
          &BrokerConfig::register_namesrv_period, 10ms, 60'000ms, Reload::Restart,
          "How often the broker registers with every name server, besides at every change."},
    Field{"broker.register_broker_timeout_ms", "registerBrokerTimeoutMills",
          &BrokerConfig::register_broker_timeout, 1ms, 600'000ms, Reload::Restart,
          "How long a registration may take."},
    Field{"broker.flush_consumer_offset_interval_ms", "flushConsumerOffsetInterval",
          &BrokerConfig::flush_consumer_offset_interval, 1ms, 600'000ms, Reload::Restart,
          "How often consumer offsets are written to disk."},
    Field{"broker.channel_expired_timeout_ms", "channelExpiredTimeout",
          &BrokerConfig::channel_expired_timeout, 1ms, 86'400'000ms, Reload::Restart,
          "A client without a heartbeat for this long is forgotten."},
};

}  // namespace

config::Rows rows(BrokerConfig& config) {
  config::Rows all = config::bind(config, kIdentityFields);
  all.append(config::bind(config, kServiceFields));
  all.append(config::bind(config, kReplicationFields));
  all.append(config::bind(config, kControlledFields));
  all.append(config::bind(config, kPeriodFields));
  all.append(storage::rows(config.store));
  return all;
}

}  // namespace rmq::roles::broker
