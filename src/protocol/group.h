// Headers about consumer groups: subscription group configuration (200, 201, 207, 225, 352), and
// who consumes what (303, 343, 345). Bodies: group_body.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct UpdateAndCreateSubscriptiongroupRequest : NoFields {};
struct UpdateAndCreateSubscriptiongroupListRequest : NoFields {};

// Without group_seq everything is wanted at once.
struct GetAllSubscriptiongroupConfigRequest {
  std::optional<std::int32_t> group_seq{};
  std::string_view data_version{};  // JSON
  std::optional<std::int32_t> max_group_num{};
  std::string_view known{};  // table_sync.h

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("groupSeq", self.group_seq, kOptional);
    f("dataVersion", self.data_version, kOptional);
    f("maxGroupNum", self.max_group_num, kOptional);
    f("rmqVersion", self.known, kOptional);
  }
};

struct GetAllSubscriptiongroupConfigResponse {
  std::int32_t total_group_num = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("totalGroupNum", self.total_group_num, kRequired);
  }
};

struct DeleteSubscriptiongroupRequest {
  std::string_view group_name{};
  bool clean_offset = false;  // the group's offsets go too

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("groupName", self.group_name, kRequired);
    f("cleanOffset", self.clean_offset, kOptional);
  }
};

struct GetSubscriptiongroupConfigRequest {
  std::string_view group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("group", self.group, kRequired);
  }
};

struct QueryConsumeTimeSpanRequest {
  std::string_view topic{};
  std::string_view group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("group", self.group, kRequired);
  }
};

struct QueryTopicsByConsumerRequest {
  std::string_view group{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("group", self.group, kRequired);
  }
};

struct QuerySubscriptionByConsumerRequest {
  std::string_view group{};
  std::string_view topic{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("group", self.group, kRequired);
    f("topic", self.topic, kOptional);
  }
};

}  // namespace rmq::protocol
