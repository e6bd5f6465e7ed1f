// BrokerConfig: the settings of one broker and its store, with Java's defaults
// (BrokerConfig.java, BrokerIdentity.java, NettyServerConfig.java). A plain struct;
// broker_config.cpp has one row per field. Threads: read by all once the broker runs; from then on
// the control thread changes what is Live, and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/live.h"
#include "storage/store_config.h"

namespace rmq::config {
class Rows;
struct JavaKeys;
}  // namespace rmq::config

namespace rmq::roles::broker {

enum class BrokerRole { AsyncMaster, SyncMaster, Slave };

struct BrokerConfig {
  std::string cluster_name = "DefaultCluster";
  // Empty: the host's name, filled in before the broker starts.
  std::string broker_name;
  std::int64_t broker_id = 0;  // 0 is the master
  // While it runs a master may become synchronous, or cease to be.
  Live<BrokerRole> broker_role = BrokerRole::AsyncMaster;
  // The address told to clients. Empty: the local address that reaches the name server.
  std::string broker_ip1;
  // The address told to slaves. Empty: broker_ip1.
  std::string broker_ip2;
  std::string listen_address = "0.0.0.0";
  // Clients compute the "VIP" port from it: listen_port - 2. 0: a free triple p-2, p, p+1.
  std::uint16_t listen_port = 10911;
  std::uint16_t ha_listen_port = 0;  // 0: listen_port + 1
  // "host:port" of every name server, separated by ';'. Empty: none, the broker registers nowhere.
  std::string namesrv_addr;

  // Bits: 2 write, 4 read.
  Live<std::int32_t> broker_permission = 6;
  Live<bool> auto_create_topic_enable = true;
  std::int32_t default_topic_queue_nums = 8;
  Live<bool> auto_create_subscription_group = true;
  bool cluster_topic_enable = true;
  bool broker_topic_enable = true;
  bool trace_topic_enable = false;
  std::string msg_trace_topic_name = "RMQ_SYS_TRACE_TOPIC";
  std::string region_id = "DefaultRegion";
  bool trace_on = true;

  Live<bool> long_polling_enable = true;
  std::chrono::milliseconds short_polling{1000};
  Live<bool> lite_pull_message_enable = true;
  bool enable_property_filter = false;
  Live<bool> slave_read_enable = true;
  Live<bool> notify_consumer_ids_changed_enable = true;
  Live<bool> reject_pull_consumer_enable = false;
  Live<bool> use_server_side_reset_offset = true;
  Live<bool> store_reply_message_enable = true;

  std::chrono::milliseconds register_namesrv_period{30'000};
  std::chrono::milliseconds register_broker_timeout{24'000};
  std::chrono::milliseconds flush_consumer_offset_interval{5000};
  // A client that sends nothing for this long is forgotten.
  std::chrono::milliseconds channel_expired_timeout{120'000};
  // Threads that serve sends and pulls. 0: one per core.
  std::int32_t data_threads = 0;

  // Where a slave gets the log: "host:port". Empty: the name server says it.
  std::string ha_master_address;
  // A synchronous master acknowledges what so many replicas have, itself among them.
  Live<std::int32_t> in_sync_replicas = 2;
  std::chrono::milliseconds slave_timeout{3000};
  // A slave that lags further behind, in bytes, does not count as one that can acknowledge.
  std::int64_t ha_max_gap_not_in_sync = 256LL * 1024 * 1024;
  std::chrono::milliseconds ha_send_heartbeat_interval{5000};
  // A peer that is silent for so long is gone.
  std::chrono::milliseconds ha_housekeeping_interval{20'000};
  std::int64_t ha_transfer_batch_bytes = 256LL * 1024;
  bool ha_flow_control_enable = false;
  std::int64_t max_ha_transfer_bytes_per_second = 100LL * 1024 * 1024;

  // Automatic failover: controllers say who is master.
  bool enable_controller_mode = false;
  std::string controller_addr;  // "host:port" of each, separated by ';'
  // A send waits for all of the SyncStateSet. SYNC_MASTER means the same.
  Live<bool> all_ack_in_sync_state_set = false;
  // Below so many members, the master among them, a synchronous master takes no messages.
  Live<std::int32_t> min_in_sync_replicas = 1;
  std::chrono::milliseconds broker_heartbeat_interval{200};
  // Controllers take a broker for dead that is silent for so long.
  std::chrono::milliseconds controller_heartbeat_timeout{1'000};
  std::int32_t broker_election_priority = std::numeric_limits<std::int32_t>::max();  // lowest wins
  std::chrono::milliseconds ha_max_time_slave_not_catchup{15'000};

  // The store; one broker.conf sets both.
  storage::StoreConfig store;

  // Keys of a Java file that rmq does not use: shown by GET_BROKER_CONFIG as they were given.
  std::vector<std::pair<std::string, std::string>> other_keys;
};

// The rows of broker_config.cpp and of its store, bound to `config`, which must outlive them.
config::Rows rows(BrokerConfig& config);
// The other keys of a broker.conf, and what becomes of each.
config::JavaKeys java_keys();

}  // namespace rmq::roles::broker
