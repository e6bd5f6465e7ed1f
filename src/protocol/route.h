// Headers of the name server's route table: REGISTER_BROKER (103), UNREGISTER_BROKER (104),
// GET_ROUTEINFO_BY_TOPIC (105), GET_BROKER_CLUSTER_INFO (106), write permission of brokers (205,
// 327), QUERY_DATA_VERSION (322), GET_BROKER_MEMBER_GROUP (901), BROKER_HEARTBEAT (904) and
// NOTIFY_MIN_BROKER_ID_CHANGE (905). Bodies:
// route_body.h, registration_body.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct RegisterBrokerRequest {
  std::string_view broker_name{};
  std::string_view broker_addr{};
  std::string_view cluster_name{};
  std::string_view ha_server_addr{};
  std::int64_t broker_id = 0;                              // 0: the master
  std::optional<std::int64_t> heartbeat_timeout_millis{};  // absent: 120 s
  std::optional<bool> enable_acting_master{};
  bool compressed = false;  // false does not mean that the body is not: some Java brokers forget it
  std::int32_t body_crc32 = 0;  // of the body as sent, 31 bits; 0: not to be checked
  std::string_view zone_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
    f("brokerAddr", self.broker_addr, kRequired);
    f("clusterName", self.cluster_name, kRequired);
    f("haServerAddr", self.ha_server_addr, kOptional);
    f("brokerId", self.broker_id, kRequired);
    f("heartbeatTimeoutMillis", self.heartbeat_timeout_millis, kOptional);
    f("enableActingMaster", self.enable_acting_master, kOptional);
    f("compressed", self.compressed, kOptional);
    f("bodyCrc32", self.body_crc32, kOptional);
    f("__ZONE_NAME", self.zone_name, kOptional);
  }
};

// For slaves whose master lives; otherwise empty.
struct RegisterBrokerResponse {
  std::string_view ha_server_addr{};
  std::string_view master_addr{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("haServerAddr", self.ha_server_addr, kOptional);
    f("masterAddr", self.master_addr, kOptional);
  }
};

struct UnregisterBrokerRequest {
  std::string_view broker_name{};
  std::string_view broker_addr{};
  std::string_view cluster_name{};
  std::int64_t broker_id = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
    f("brokerAddr", self.broker_addr, kRequired);
    f("clusterName", self.cluster_name, kRequired);
    f("brokerId", self.broker_id, kRequired);
  }
};

struct GetRouteinfoByTopicRequest {
  std::string_view topic{};
  bool accept_standard_json_only = false;
  std::string_view zone_name{};  // with zone_mode: only brokers of this zone
  bool zone_mode = false;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("acceptStandardJsonOnly", self.accept_standard_json_only, kOptional);
    f("__ZONE_NAME", self.zone_name, kOptional);
    f("__ZONE_MODE", self.zone_mode, kOptional);
  }
};

struct GetBrokerClusterInfoRequest : NoFields {};

struct WipeWritePermOfBrokerRequest {
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
  }
};

struct WipeWritePermOfBrokerResponse {
  std::int32_t wipe_topic_count = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("wipeTopicCount", self.wipe_topic_count, kRequired);
  }
};

struct AddWritePermOfBrokerRequest {
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
  }
};

struct AddWritePermOfBrokerResponse {
  std::int32_t add_topic_count = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("addTopicCount", self.add_topic_count, kRequired);
  }
};

struct QueryDataVersionRequest {
  std::string_view broker_name{};
  std::string_view broker_addr{};
  std::string_view cluster_name{};
  std::int64_t broker_id = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("brokerName", self.broker_name, kRequired);
    f("brokerAddr", self.broker_addr, kRequired);
    f("clusterName", self.cluster_name, kRequired);
    f("brokerId", self.broker_id, kOptional);
  }
};

struct QueryDataVersionResponse {
  bool changed = true;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("changed", self.changed, kRequired);
  }
};

struct GetBrokerMemberGroupRequest {
  std::string_view cluster_name{};
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kRequired);
    f("brokerName", self.broker_name, kRequired);
  }
};

struct BrokerHeartbeatRequest {
  std::string_view cluster_name{};
  std::string_view broker_addr{};
  std::string_view broker_name{};
  std::optional<std::int64_t> broker_id{};
  std::optional<std::int32_t> epoch{};
  std::optional<PhysicalOffset> max_offset{};
  std::optional<PhysicalOffset> confirm_offset{};
  std::optional<std::int64_t> heartbeat_timeout_mills{};
  std::optional<std::int32_t> election_priority{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clusterName", self.cluster_name, kRequired);
    f("brokerAddr", self.broker_addr, kRequired);
    f("brokerName", self.broker_name, kRequired);
    f("brokerId", self.broker_id, kOptional);
    f("epoch", self.epoch, kOptional);
    f("maxOffset", self.max_offset, kOptional);
    f("confirmOffset", self.confirm_offset, kOptional);
    f("heartbeatTimeoutMills", self.heartbeat_timeout_mills, kOptional);  // sic
    f("electionPriority", self.election_priority, kOptional);
  }
};

// Empty members are left out: offline_broker_addr when a replica came, ha_broker_addr when one
// left.
struct NotifyMinBrokerIdChangeRequest {
  std::int64_t min_broker_id = 0;
  std::string_view broker_name;
  std::string_view min_broker_addr;
  std::string_view offline_broker_addr;
  std::string_view ha_broker_addr;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("minBrokerId", self.min_broker_id, kRequired);
    f("brokerName", self.broker_name, kOptional);
    f("minBrokerAddr", self.min_broker_addr, kOptional);
    f("offlineBrokerAddr", self.offline_broker_addr, kOptional);
    f("haBrokerAddr", self.ha_broker_addr, kOptional);
  }
};

}  // namespace rmq::protocol
