#include "protocol/response_codes.h"

#include <string>

namespace rmq::protocol {
namespace {

class ResponseCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "response"; }
  std::string message(int value) const override {
    const std::string_view known = response_name(value);
    return known.empty() ? "response code " + std::to_string(value) : std::string(known);
  }
};

}  // namespace

std::string_view response_name(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
#define RMQ_RESPONSE(value, CodeName, JAVA_CONSTANT) \
  case ResponseCode::CodeName:                       \
    return #JAVA_CONSTANT;
#include "protocol/response_codes.def"
#undef RMQ_RESPONSE
  }
  return {};
}

const std::error_category& response_category() {
  static const ResponseCategory kCategory;
  return kCategory;
}

}  // namespace rmq::protocol
