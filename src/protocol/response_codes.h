// ResponseCode: the outcome of a request. It is a std::error_code enum as well, so a handler
// refuses with `return fail(ResponseCode::TopicNotExist, "topic[X] not exist")`: the code goes to
// the peer, the detail is the remark.
#pragma once

#include <cstdint>
#include <string_view>
#include <system_error>

namespace rmq::protocol {

enum class ResponseCode : std::int32_t {
#define RMQ_RESPONSE(code, CodeName, JAVA_CONSTANT) CodeName = code,
#include "protocol/response_codes.def"
#undef RMQ_RESPONSE
};

// "TOPIC_NOT_EXIST" for 17. Empty for an unknown code.
std::string_view response_name(std::int32_t code);

// Name "response", message the Java constant's name ("response code 77" for an unknown one).
const std::error_category& response_category();
inline std::error_code make_error_code(ResponseCode code) {
  return {static_cast<int>(code), response_category()};
}

}  // namespace rmq::protocol

template <>
struct std::is_error_code_enum<rmq::protocol::ResponseCode> : std::true_type {};
