// Headers of UPDATE_BROKER_CONFIG (25), whose body is java.util.Properties text, and of
// GET_BROKER_CONFIG (26), whose answer's body is "key=value\n" lines.
#pragma once

#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct UpdateBrokerConfigRequest : NoFields {};
struct GetBrokerConfigRequest : NoFields {};

struct GetBrokerConfigResponse {
  std::string_view version{};  // DataVersion as JSON

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("version", self.version, kOptional);
  }
};

}  // namespace rmq::protocol
