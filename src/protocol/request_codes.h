// RequestCode: what a request asks for. All codes are in request_codes.def; the fields of each are
// in send.h, pull.h, offset.h, topic.h, group.h, client.h, route.h, kv.h and view.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace rmq::protocol {

enum class RequestCode : std::int32_t {
#define RMQ_REQUEST(code, CodeName, JAVA_CONSTANT) CodeName = code,
#include "protocol/request_codes.def"
#undef RMQ_REQUEST
};

// "GET_MAX_OFFSET" for 30: for logs, metrics and the command line. Empty for an unknown code.
std::string_view request_name(std::int32_t code);
inline std::string_view request_name(RequestCode code) {
  return request_name(static_cast<std::int32_t>(code));
}

}  // namespace rmq::protocol
