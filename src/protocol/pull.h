// Headers of PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361). Source: PullMessageRequestHeader.java,
// PullSysFlag.java, ForbiddenType.java.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

// Bits of PullMessageRequest::sys_flag.
inline constexpr std::int32_t kPullCommitOffset = 1;
inline constexpr std::int32_t kPullSuspend = 2;
inline constexpr std::int32_t kPullSubscription = 4;  // the request brings its own subscription
inline constexpr std::int32_t kPullClassFilter = 8;
inline constexpr std::int32_t kPullLite = 16;

// Why a pull is refused with NO_PERMISSION: PullMessageResponse::forbidden_type.
inline constexpr std::int32_t kForbiddenBroker = 1;
inline constexpr std::int32_t kForbiddenGroup = 2;
inline constexpr std::int32_t kForbiddenTopic = 3;
inline constexpr std::int32_t kForbiddenBroadcast = 4;
inline constexpr std::int32_t kForbiddenSubscription = 5;

struct PullMessageRequest {
  std::string_view consumer_group{};
  std::string_view topic{};
  QueueId queue_id = 0;
  QueueOffset queue_offset{};  // the first message wanted
  std::int32_t max_msg_nums = 0;
  std::int32_t sys_flag = 0;
  QueueOffset commit_offset{};              // stored with kPullCommitOffset
  std::int64_t suspend_timeout_millis = 0;  // held so long with kPullSuspend
  std::string_view subscription{};          // the expression, with kPullSubscription
  std::int64_t sub_version = 0;
  std::string_view expression_type{};  // empty: TAG
  std::optional<std::int32_t> max_msg_bytes{};
  std::optional<std::int32_t> request_source{};
  std::string_view proxy_forward_client_id{};
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
    f("topic", self.topic, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("queueOffset", self.queue_offset, kRequired);
    f("maxMsgNums", self.max_msg_nums, kRequired);
    f("sysFlag", self.sys_flag, kRequired);
    f("commitOffset", self.commit_offset, kOptional);
    f("suspendTimeoutMillis", self.suspend_timeout_millis, kOptional);
    f("subscription", self.subscription, kOptional);
    f("subVersion", self.sub_version, kOptional);
    f("expressionType", self.expression_type, kOptional);
    f("maxMsgBytes", self.max_msg_bytes, kOptional);
    f("requestSource", self.request_source, kOptional);
    f("proxyFrowardClientId", self.proxy_forward_client_id, kOptional);  // sic
    f("bname", self.broker_name, kOptional);
  }
};
using LitePullMessageRequest = PullMessageRequest;

// The first four are read by clients for codes 0, 19, 20 and 21 without a look whether they are
// there.
struct PullMessageResponse {
  std::int64_t suggest_which_broker_id = 0;
  QueueOffset next_begin_offset{};
  QueueOffset min_offset{};
  QueueOffset max_offset{};
  std::optional<std::int64_t> offset_delta{};
  std::optional<std::int32_t> topic_sys_flag{};
  std::optional<std::int32_t> group_sys_flag{};
  std::optional<std::int32_t> forbidden_type{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("suggestWhichBrokerId", self.suggest_which_broker_id, kRequired);
    f("nextBeginOffset", self.next_begin_offset, kRequired);
    f("minOffset", self.min_offset, kRequired);
    f("maxOffset", self.max_offset, kRequired);
    f("offsetDelta", self.offset_delta, kOptional);
    f("topicSysFlag", self.topic_sys_flag, kOptional);
    f("groupSysFlag", self.group_sys_flag, kOptional);
    f("forbiddenType", self.forbidden_type, kOptional);
  }
};

}  // namespace rmq::protocol
