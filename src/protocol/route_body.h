// The bodies with which a name server describes a cluster: a topic's route, brokers, lists.
// Format: JSON as RocketMQ's TopicRouteData.java and its neighbours come out of fastjson: members
// in alphabetical order, absent instead of null, no whitespace. client-go takes routes apart with
// string functions and needs it like that. Maps are sorted here where Java has hash order. Threads:
// plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rmq::protocol {

inline constexpr std::int64_t kMasterId = 0;

// How broker ids are written as keys: {0:"..."}, or {"0":"..."} with the escapes of strict JSON
// (`\/`, `\uXXXX`).
enum class JsonForm : std::uint8_t { Fastjson, Standard };
// What GET_ROUTEINFO_BY_TOPIC answers to a client of this version. Standard from V4_9_4 on, or when
// asked for.
JsonForm route_form(std::int32_t client_version, bool accept_standard_json_only);

using BrokerAddresses = std::map<std::int64_t, std::string>;  // broker id -> "host:port"

struct QueueData {
  std::string broker_name;
  std::int32_t read_queue_nums = 0;
  std::int32_t write_queue_nums = 0;
  std::int32_t perm = 0;  // kPerm bits of topic_config.h
  std::int32_t topic_sys_flag = 0;
  friend bool operator==(const QueueData&, const QueueData&) = default;
};

// All replicas of one broker name.
struct BrokerData {
  std::string cluster;
  std::string broker_name;
  BrokerAddresses broker_addrs;
  std::optional<std::string> zone_name;
  bool enable_acting_master = false;
  friend bool operator==(const BrokerData&, const BrokerData&) = default;
};

// Static topics: which logical queue lies in which queue of a broker.
struct TopicQueueMappingInfo {
  std::string topic;
  std::string scope = "__global__";
  std::int32_t total_queues = 0;
  std::string bname;
  std::int64_t epoch = 0;
  bool dirty = false;
  std::map<std::int32_t, std::int32_t> curr_id_map;  // logical -> physical
  friend bool operator==(const TopicQueueMappingInfo&, const TopicQueueMappingInfo&) = default;
};

struct TopicRouteData {
  std::optional<std::string> order_topic_conf;  // "brokerName:queues;..."
  std::vector<QueueData> queue_datas;
  std::vector<BrokerData> broker_datas;
  std::map<std::string, std::vector<std::string>> filter_server_table;  // by broker address
  std::optional<std::map<std::string, TopicQueueMappingInfo>> topic_queue_mapping_by_broker;
  friend bool operator==(const TopicRouteData&, const TopicRouteData&) = default;
};

struct ClusterInfo {
  std::map<std::string, BrokerData> broker_addr_table;              // by broker name
  std::map<std::string, std::set<std::string>> cluster_addr_table;  // cluster -> broker names
  friend bool operator==(const ClusterInfo&, const ClusterInfo&) = default;
};

struct TopicList {
  std::vector<std::string> topic_list;
  std::optional<std::string> broker_addr;
  friend bool operator==(const TopicList&, const TopicList&) = default;
};

struct BrokerMemberGroup {
  std::string cluster;
  std::string broker_name;
  BrokerAddresses broker_addrs;
  friend bool operator==(const BrokerMemberGroup&, const BrokerMemberGroup&) = default;
};

struct KVTable {
  std::map<std::string, std::string> table;
  friend bool operator==(const KVTable&, const KVTable&) = default;
};

json::Value to_json(const TopicQueueMappingInfo& info);
TopicQueueMappingInfo topic_queue_mapping_info_from(const json::Value& value);

std::string encode_topic_route(const TopicRouteData& route, JsonForm form);
std::string encode_cluster_info(const ClusterInfo& info);
std::string encode_topic_list(const TopicList& list);
// With the wrapper of GET_BROKER_MEMBER_GROUP's answer.
std::string encode_broker_member_group(const BrokerMemberGroup& group);
std::string encode_kv_table(const KVTable& table);

// All take either form. Errors: ProtocolErrc::BodyMalformed when it is no JSON object, or a broker
// id is no number. Members of a wrong shape count as absent.
Result<TopicRouteData> decode_topic_route(std::string_view body);
Result<ClusterInfo> decode_cluster_info(std::string_view body);
Result<TopicList> decode_topic_list(std::string_view body);
Result<BrokerMemberGroup> decode_broker_member_group(std::string_view body);
Result<KVTable> decode_kv_table(std::string_view body);

}  // namespace rmq::protocol
