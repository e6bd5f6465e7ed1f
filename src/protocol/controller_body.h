// Bodies between brokers, tools and a controller; the headers are in controller.h.
// Format: fastjson's JSON, members alphabetically, absent ones left out (RocketMQ
// SyncStateSet.java, ElectMasterResponseBody.java, BrokerReplicasInfo.java). Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/route_body.h"

namespace rmq::protocol {

// {"syncStateSet":[1,2],"syncStateSetEpoch":3}
struct SyncStateSetBody {
  std::vector<std::int64_t> ids;
  std::int32_t epoch = 0;

  friend bool operator==(const SyncStateSetBody&, const SyncStateSetBody&) = default;
};
std::string encode_sync_state_set(const SyncStateSetBody& set);
// Errors: ProtocolErrc::BodyMalformed, also without a list of numbers.
Result<SyncStateSetBody> decode_sync_state_set(std::string_view body);

// Of ELECT_MASTER's answer: all replicas, when there is a new master, and the members of the set.
struct ElectMasterBody {
  std::optional<BrokerMemberGroup> group;
  std::vector<std::int64_t> ids;

  friend bool operator==(const ElectMasterBody&, const ElectMasterBody&) = default;
};
std::string encode_elect_master(const ElectMasterBody& body);
Result<ElectMasterBody> decode_elect_master(std::string_view body);

// Of GET_SYNC_STATE_DATA's answer: broker sets by name.
struct ReplicaState {
  std::int64_t id = 0;
  std::string address;
  bool alive = false;
  // Too early to say: not heard of yet by a controller that has just started. Of rmq alone,
  // "rmqUnheard", only when true.
  bool unheard = false;

  friend bool operator==(const ReplicaState&, const ReplicaState&) = default;
};
struct ReplicasOfSet {
  std::optional<std::int64_t> master_id;
  std::string master_address;  // empty: no master
  std::int32_t master_epoch = 0;
  std::int32_t set_epoch = 0;
  std::vector<ReplicaState> in_sync;
  std::vector<ReplicaState> not_in_sync;

  friend bool operator==(const ReplicasOfSet&, const ReplicasOfSet&) = default;
};
using ReplicasOfSets = std::map<std::string, ReplicasOfSet>;
std::string encode_replicas(const ReplicasOfSets& sets);
Result<ReplicasOfSets> decode_replicas(std::string_view body);

// The names that GET_SYNC_STATE_DATA asks for: ["a","b"]. Errors: ProtocolErrc::BodyMalformed.
std::string encode_broker_names(const std::vector<std::string>& names);
Result<std::vector<std::string>> decode_broker_names(std::string_view body);

// "1,2" or "1;2" apart. Errors: ProtocolErrc::FieldMalformed, naming what is no number.
Result<std::vector<std::int64_t>> parse_ids(std::string_view text, char separator);
std::string join_ids(const std::vector<std::int64_t>& ids, char separator);

}  // namespace rmq::protocol
