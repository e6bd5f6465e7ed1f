#include "roles/controller/refusals.h"

#include "base/log.h"

namespace rmq::roles::controller {

using replication::ControllerErrc;

net::Response refusal(ControllerErrc why, std::string remark) {
  net::Response response;
  response.code = replication::response_code(why);
  response.remark = std::move(remark);
  return response;
}

ControllerErrc reason_of(const Error& error) {
  static const auto& category = make_error_code(ControllerErrc::StoreFailed).category();
  if (error.code.category() != category) return ControllerErrc::StoreFailed;
  return static_cast<ControllerErrc>(error.code.value());
}

net::Response store_failed(const Error& error) {
  log::error("controller", "the store failed; the change has happened or not",
             kv("why", error.message()));
  return refusal(ControllerErrc::StoreFailed, "the controller's store failed: " + error.message());
}

}  // namespace rmq::roles::controller
