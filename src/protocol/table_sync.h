// What a slave of ours adds to the requests for its master's tables (21, 43, 45, 201), and a master
// of ours to the answers, so that a table is sent only when it has changed. Others ignore both.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

// In a request's `known`: the version that the slave has; kNoTableVersion when it has none.
inline constexpr std::string_view kNoTableVersion = "-";

struct TableVersionResponse {
  std::string_view version{};  // absent: not a master of ours. As in the request: there is no body
  // Of the delay offsets: deliveries that they do not count lie at or behind the first, and those
  // that they count before the second, physical offsets of the master's log.
  std::optional<std::int64_t> position{};
  std::optional<std::int64_t> log_end{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("rmqVersion", self.version, kOptional);
    f("rmqPosition", self.position, kOptional);
    f("rmqLogEnd", self.log_end, kOptional);
  }
};

}  // namespace rmq::protocol
