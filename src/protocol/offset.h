// Headers of offsets: QUERY_CONSUMER_OFFSET (14), UPDATE_CONSUMER_OFFSET (15),
// SEARCH_OFFSET_BY_TIMESTAMP (29), GET_MAX_OFFSET (30), GET_MIN_OFFSET (31),
// GET_EARLIEST_MSG_STORETIME (32), the resetting of offsets (220, 222), what clients hold (221,
// 223) and the whole tables (43, 45). Bodies: offset_body.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct QueryConsumerOffsetRequest {
  std::string_view consumer_group{};
  std::string_view topic{};
  QueueId queue_id = 0;
  std::optional<bool> set_zero_if_not_found{};  // absent: true

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("setZeroIfNotFound", self.set_zero_if_not_found, kOptional);
  }
};

// The answer to 14, 29, 30 and 31.
struct OffsetResponse {
  QueueOffset offset{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("offset", self.offset, kRequired);
  }
};
using QueryConsumerOffsetResponse = OffsetResponse;
using SearchOffsetByTimestampResponse = OffsetResponse;
using GetMaxOffsetResponse = OffsetResponse;
using GetMinOffsetResponse = OffsetResponse;

struct UpdateConsumerOffsetRequest {
  std::string_view consumer_group{};
  std::string_view topic{};
  QueueId queue_id = 0;
  QueueOffset commit_offset{};
  std::optional<bool> forward_only{};  // ours, from a slave: it never sets a group back

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("commitOffset", self.commit_offset, kRequired);
    f("rmqForwardOnly", self.forward_only, kOptional);
  }
};

// Which of the messages around a timestamp: the first one at or after it, or the last one at or
// before it.
enum class BoundaryType { Lower, Upper };
// As Java: "UPPER" in any case is Upper, anything else Lower.
bool parse_field(std::string_view text, BoundaryType& out);
inline std::string_view field_text(BoundaryType value) {
  return value == BoundaryType::Upper ? "UPPER" : "LOWER";
}

struct SearchOffsetByTimestampRequest {
  std::string_view topic{};
  QueueId queue_id = 0;
  std::int64_t timestamp = 0;  // store time, ms since the epoch
  BoundaryType boundary_type = BoundaryType::Lower;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("timestamp", self.timestamp, kRequired);
    f("boundaryType", self.boundary_type, kOptional);
  }
};

struct GetMaxOffsetRequest {
  std::string_view topic{};
  QueueId queue_id = 0;
  bool committed = true;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("committed", self.committed, kOptional);
  }
};

struct GetMinOffsetRequest {
  std::string_view topic{};
  QueueId queue_id = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
  }
};

struct GetEarliestMsgStoretimeRequest {
  std::string_view topic{};
  QueueId queue_id = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
  }
};

struct GetEarliestMsgStoretimeResponse {
  std::int64_t timestamp = -1;  // ms since the epoch; -1: there is no message

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("timestamp", self.timestamp, kRequired);
  }
};

// INVOKE_BROKER_TO_RESET_OFFSET, and RESET_CONSUMER_CLIENT_OFFSET from broker to client.
struct InvokeBrokerToResetOffsetRequest {
  std::string_view topic{};
  std::string_view group{};
  QueueId queue_id = -1;  // -1: all queues
  std::optional<QueueOffset> offset{};
  std::int64_t timestamp = 0;  // ms since the epoch; negative: the end
  bool is_force = false;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("group", self.group, kRequired);
    f("queueId", self.queue_id, kOptional);
    f("offset", self.offset, kOptional);
    f("timestamp", self.timestamp, kOptional);
    f("isForce", self.is_force, kOptional);
  }
};
using ResetConsumerClientOffsetRequest = InvokeBrokerToResetOffsetRequest;

// INVOKE_BROKER_TO_GET_CONSUMER_STATUS, and GET_CONSUMER_STATUS_FROM_CLIENT from broker to client.
struct InvokeBrokerToGetConsumerStatusRequest {
  std::string_view topic{};
  std::string_view group{};
  std::string_view client_addr{};  // a client id, in spite of its name; empty: all clients

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("group", self.group, kRequired);
    f("clientAddr", self.client_addr, kOptional);
  }
};
using GetConsumerStatusFromClientRequest = InvokeBrokerToGetConsumerStatusRequest;

struct GetAllConsumerOffsetRequest {
  std::string_view known{};  // table_sync.h

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("rmqVersion", self.known, kOptional);
  }
};
using GetAllDelayOffsetRequest = GetAllConsumerOffsetRequest;

}  // namespace rmq::protocol
