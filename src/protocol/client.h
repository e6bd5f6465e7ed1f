// Headers between clients and broker about the clients themselves: HEART_BEAT (34),
// UNREGISTER_CLIENT (35), GET_CONSUMER_LIST_BY_GROUP (38), NOTIFY_CONSUMER_IDS_CHANGED (40), queue
// locks (41, 42), CHECK_CLIENT_CONFIG (46), who is connected (203, 204, 328), and what is relayed
// to a client (307, 309). Bodies: client_body.h, group_body.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct HeartBeatRequest : NoFields {};
struct HeartBeatResponse {
  bool is_support_heart_beat_v2 = true;
  bool is_sub_change = true;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("IS_SUPPORT_HEART_BEAT_V2", self.is_support_heart_beat_v2, kRequired);
    f("IS_SUB_CHANGE", self.is_sub_change, kRequired);
  }
};

struct UnregisterClientRequest {
  std::string_view client_id{};
  std::string_view producer_group{};  // empty: none
  std::string_view consumer_group{};  // empty: none

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("clientID", self.client_id, kRequired);
    f("producerGroup", self.producer_group, kOptional);
    f("consumerGroup", self.consumer_group, kOptional);
  }
};

struct GetConsumerListByGroupRequest {
  std::string_view consumer_group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
  }
};

// Broker to client, one way.
struct NotifyConsumerIdsChangedRequest {
  std::string_view consumer_group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
  }
};

struct LockBatchMqRequest : NoFields {};
struct UnlockBatchMqRequest : NoFields {};
struct CheckClientConfigRequest : NoFields {};

struct GetConsumerConnectionListRequest {
  std::string_view consumer_group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
  }
};

struct GetProducerConnectionListRequest {
  std::string_view producer_group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("producerGroup", self.producer_group, kRequired);
  }
};

struct GetAllProducerInfoRequest : NoFields {};

struct GetConsumerRunningInfoRequest {
  std::string_view consumer_group{};
  std::string_view client_id{};
  bool jstack_enable = false;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
    f("clientId", self.client_id, kRequired);
    f("jstackEnable", self.jstack_enable, kOptional);
  }
};

struct ConsumeMessageDirectlyRequest {
  std::string_view consumer_group{};
  std::string_view client_id{};
  std::string_view msg_id{};
  std::string_view broker_name{};
  std::string_view topic{};
  std::optional<std::int32_t> topic_sys_flag{};
  std::optional<std::int32_t> group_sys_flag{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
    f("clientId", self.client_id, kOptional);
    f("msgId", self.msg_id, kOptional);
    f("brokerName", self.broker_name, kOptional);
    f("topic", self.topic, kOptional);
    f("topicSysFlag", self.topic_sys_flag, kOptional);
    f("groupSysFlag", self.group_sys_flag, kOptional);
  }
};

}  // namespace rmq::protocol
