#include "protocol/request_codes.h"

namespace rmq::protocol {

std::string_view request_name(std::int32_t code) {
  switch (static_cast<RequestCode>(code)) {
#define RMQ_REQUEST(value, CodeName, JAVA_CONSTANT) \
  case RequestCode::CodeName:                       \
    return #JAVA_CONSTANT;
#include "protocol/request_codes.def"
#undef RMQ_REQUEST
  }
  return {};
}

}  // namespace rmq::protocol
