#include "roles/error_mapping.h"

#include "protocol/protocol_errc.h"
#include "protocol/response_codes.h"

namespace rmq::roles {

net::Response to_response(const Error& error) {
  using protocol::ResponseCode;
  net::Response response;
  response.code = static_cast<std::int32_t>(ResponseCode::SystemError);
  if (error.code.category() == make_error_code(ResponseCode::SystemError).category()) {
    response.code = error.code.value();
    response.remark = error.detail.empty() ? error.code.message() : error.detail;
    return response;
  }
  // Java throws on both and answers 1; naming the field as a bad parameter is what a caller can act
  // on.
  const bool bad_field = error.code == protocol::ProtocolErrc::FieldMissing ||
                         error.code == protocol::ProtocolErrc::FieldMalformed;
  if (bad_field) response.code = static_cast<std::int32_t>(ResponseCode::InvalidParameter);
  response.remark = error.message();
  return response;
}

}  // namespace rmq::roles
