// Headers of reading single messages: QUERY_MESSAGE (12) and VIEW_MESSAGE_BY_ID (33).
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct QueryMessageRequest {
  std::string_view topic{};
  std::string_view key{};
  std::int32_t max_num = 0;
  std::int64_t begin_timestamp = 0;  // store time, ms since the epoch
  std::int64_t end_timestamp = 0;
  bool unique_key = false;  // `key` is a UNIQ_KEY, not one of KEYS

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("key", self.key, kRequired);
    f("maxNum", self.max_num, kRequired);
    f("beginTimestamp", self.begin_timestamp, kRequired);
    f("endTimestamp", self.end_timestamp, kRequired);
    f("_UNIQUE_KEY_QUERY", self.unique_key, kOptional);
  }
};

struct QueryMessageResponse {
  std::int64_t index_last_update_timestamp = 0;  // ms since the epoch
  PhysicalOffset index_last_update_phyoffset{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("indexLastUpdateTimestamp", self.index_last_update_timestamp, kRequired);
    f("indexLastUpdatePhyoffset", self.index_last_update_phyoffset, kRequired);
  }
};

struct ViewMessageByIdRequest {
  std::string_view topic{};
  PhysicalOffset offset{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kOptional);
    f("offset", self.offset, kRequired);
  }
};

}  // namespace rmq::protocol
