// Headers between brokers, tools and a controller: ALTER_SYNC_STATE_SET (1001) to GET_METADATA_INFO
// (1005), GET_SYNC_STATE_DATA (1006), NOTIFY_BROKER_ROLE_CHANGED (1008), CLEAN_BROKER_DATA (1011),
// GET_NEXT_BROKER_ID (1012), APPLY_BROKER_ID (1013), and what a heartbeat (904: route.h) says to a
// controller besides. Bodies: controller_body.h.
//
// Ids are those that the controller gives, from 1 on, never the 0 that clients know a master by.
// `over`, `dead` and `set_notices` are ours; RocketMQ ignores them.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

// In a heartbeat (904), behind BrokerHeartbeatRequest.
struct HeartbeatExtras {
  // The broker wants NOTIFY_BROKER_ROLE_CHANGED also when only the SyncStateSet has changed.
  bool set_notices = false;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("setNotices", self.set_notices, kOptional);
  }
};

// Body: SyncStateSetBody.
struct ControllerAlterSyncStateSetRequest {
  std::string_view broker_name{};
  std::int64_t master_broker_id = 0;
  std::int32_t master_epoch = 0;
  std::int64_t invoke_time = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
    f("masterBrokerId", self.master_broker_id, kRequired);
    f("masterEpoch", self.master_epoch, kRequired);
    f("invokeTime", self.invoke_time, kOptional);
  }
};
// Body: SyncStateSetBody, the set as it is now.
struct ControllerAlterSyncStateSetResponse {
  std::int32_t new_sync_state_set_epoch = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("newSyncStateSetEpoch", self.new_sync_state_set_epoch, kRequired);
  }
};

struct ControllerElectMasterRequest {
  std::string_view cluster_name{};
  std::string_view broker_name{};
  std::int64_t broker_id = -1;   // who asks, or who shall win; -1: nobody
  bool designate_elect = false;  // an operator's: broker_id shall win
  std::int64_t invoke_time = 0;
  // The epoch of a reign of the asking broker that has ended with its process.
  std::optional<std::int32_t> over{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kRequired);
    f("brokerId", self.broker_id, kOptional);
    f("designateElect", self.designate_elect, kOptional);
    f("invokeTime", self.invoke_time, kOptional);
    f("over", self.over, kOptional);
  }
};
// Also of CONTROLLER_MASTER_STILL_EXIST (2011). Body: ElectMasterBody.
struct ControllerElectMasterResponse {
  std::optional<std::int64_t> master_broker_id{};
  std::string_view master_address{};
  std::optional<std::int32_t> master_epoch{};
  std::optional<std::int32_t> sync_state_set_epoch{};
  std::string_view dead{};  // "2,3": members that the controller takes for dead

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("masterBrokerId", self.master_broker_id, kOptional);
    f("masterAddress", self.master_address, kOptional);
    f("masterEpoch", self.master_epoch, kOptional);
    f("syncStateSetEpoch", self.sync_state_set_epoch, kOptional);
    f("dead", self.dead, kOptional);
  }
};

struct ControllerRegisterBrokerRequest {
  std::string_view cluster_name{};
  std::string_view broker_name{};
  std::int64_t broker_id = 0;
  std::string_view broker_address{};
  std::int64_t invoke_time = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kRequired);
    f("brokerId", self.broker_id, kRequired);
    f("brokerAddress", self.broker_address, kRequired);
    f("invokeTime", self.invoke_time, kOptional);
  }
};
// The four of the master are absent when none lives. Body: SyncStateSetBody.
struct ControllerRegisterBrokerResponse {
  std::string_view cluster_name{};
  std::string_view broker_name{};
  std::optional<std::int64_t> master_broker_id{};
  std::string_view master_address{};
  std::optional<std::int32_t> master_epoch{};
  std::optional<std::int32_t> sync_state_set_epoch{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kOptional);
    f("masterBrokerId", self.master_broker_id, kOptional);
    f("masterAddress", self.master_address, kOptional);
    f("masterEpoch", self.master_epoch, kOptional);
    f("syncStateSetEpoch", self.sync_state_set_epoch, kOptional);
  }
};

struct ControllerGetReplicaInfoRequest {
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
  }
};
// Body: SyncStateSetBody.
struct ControllerGetReplicaInfoResponse {
  std::optional<std::int64_t> master_broker_id{};  // absent: nobody may write
  std::string_view master_address{};
  std::int32_t master_epoch = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("masterBrokerId", self.master_broker_id, kOptional);
    f("masterAddress", self.master_address, kOptional);
    f("masterEpoch", self.master_epoch, kRequired);
  }
};

struct ControllerGetMetadataInfoRequest : NoFields {};
struct ControllerGetMetadataInfoResponse {
  std::string_view group{};
  std::string_view controller_leader_id{};
  std::string_view controller_leader_address{};
  bool is_leader = false;
  std::string_view peers{};  // "n0:10.0.0.1:9878;n1:10.0.0.2:9878;"

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("group", self.group, kOptional);
    f("controllerLeaderId", self.controller_leader_id, kOptional);
    f("controllerLeaderAddress", self.controller_leader_address, kOptional);
    f("isLeader", self.is_leader, kOptional);
    f("peers", self.peers, kOptional);
  }
};

// Body: the names of broker sets. Body of the answer: ReplicasOfSets.
struct ControllerGetSyncStateDataRequest : NoFields {};

// Controller to broker, one way. Body: SyncStateSetBody.
struct NotifyBrokerRoleChangedRequest {
  std::string_view master_address{};
  std::int32_t master_epoch = 0;
  std::int32_t sync_state_set_epoch = 0;
  std::optional<std::int64_t> master_broker_id{};
  std::string_view dead{};  // as in ControllerElectMasterResponse

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("masterAddress", self.master_address, kOptional);
    f("masterEpoch", self.master_epoch, kRequired);
    f("syncStateSetEpoch", self.sync_state_set_epoch, kRequired);
    f("masterBrokerId", self.master_broker_id, kOptional);
    f("dead", self.dead, kOptional);
  }
};

struct CleanBrokerDataRequest {
  std::string_view cluster_name{};
  std::string_view broker_name{};
  std::string_view broker_controller_ids_to_clean{};  // "1;2"; empty: all
  bool is_clean_living_broker = false;
  std::int64_t invoke_time = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kRequired);
    f("brokerControllerIdsToClean", self.broker_controller_ids_to_clean, kOptional);
    f("isCleanLivingBroker", self.is_clean_living_broker, kOptional);
    f("invokeTime", self.invoke_time, kOptional);
  }
};

struct ControllerGetNextBrokerIdRequest {
  std::string_view cluster_name{};
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kRequired);
  }
};
struct ControllerGetNextBrokerIdResponse {
  std::string_view cluster_name{};
  std::string_view broker_name{};
  std::int64_t next_broker_id = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kOptional);
    f("nextBrokerId", self.next_broker_id, kRequired);
  }
};

struct ControllerApplyBrokerIdRequest {
  std::string_view cluster_name{};
  std::string_view broker_name{};
  std::int64_t applied_broker_id = 0;
  // What tells the broker from another one that wants the same id. RocketMQ's:
  // "<address>;<milliseconds since 1970>".
  std::string_view register_check_code{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kRequired);
    f("brokerName", self.broker_name, kRequired);
    f("appliedBrokerId", self.applied_broker_id, kRequired);
    f("registerCheckCode", self.register_check_code, kRequired);
  }
};
// Also of a refusal.
struct ControllerApplyBrokerIdResponse {
  std::string_view cluster_name{};
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kOptional);
    f("brokerName", self.broker_name, kOptional);
  }
};

struct UpdateControllerConfigRequest : NoFields {};
struct GetControllerConfigRequest : NoFields {};

}  // namespace rmq::protocol
