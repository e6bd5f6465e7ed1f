// NamesrvConfig: the settings of one name server, with Java's defaults (NamesrvConfig.java,
// NettyServerConfig.java). A plain struct; namesrv_config.cpp has one row per field. Threads: read
// on the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rmq::config {
class Rows;
struct JavaKeys;
}  // namespace rmq::config

namespace rmq::roles::namesrv {

struct NamesrvConfig {
  std::string listen_address = "0.0.0.0";
  std::uint16_t listen_port = 9876;  // 0: a free one
  // Where the KV table is kept. `rmq serve` fills it in: below --data, or Java's
  // ~/namesrv/kvConfig.json.
  std::string kv_config_path;

  // How often brokers are checked for missing heartbeats.
  std::chrono::milliseconds scan_not_active_broker_interval{5000};
  // Adds the ORDER_TOPIC_CONFIG of the KV table to routes.
  bool order_message_enable = false;
  bool return_order_topic_config_to_broker = true;
  bool enable_all_topic_list = true;  // GET_ALL_TOPIC_LIST_FROM_NAMESERVER
  bool enable_topic_list = true;      // GET_TOPICS_BY_CLUSTER and the system and unit topic lists
  bool delete_topic_with_broker_registration = false;
  // A replica with the lowest living id stands in for a missing master in routes.
  bool support_acting_master = false;
  // Tells the other replicas of a broker name when its lowest living id changes.
  bool notify_min_broker_id_changed = false;
  // Routes are refused for wait_seconds_for_service after the start, until brokers had time to
  // register.
  bool need_wait_for_service = false;
  std::chrono::seconds wait_seconds_for_service{45};
  // `rmq serve` starts a controller beside it.
  bool enable_controller_in_namesrv = false;
  // Keys of a Java file that rmq does not use: shown by GET_NAMESRV_CONFIG as they were given.
  std::vector<std::pair<std::string, std::string>> other_keys;
};

// The rows of namesrv_config.cpp, bound to `config`, which must outlive them.
config::Rows rows(NamesrvConfig& config);
// The other keys of a namesrv.conf, and what becomes of each.
config::JavaKeys java_keys();

}  // namespace rmq::roles::namesrv
