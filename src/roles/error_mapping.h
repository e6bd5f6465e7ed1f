// Error -> response: a ResponseCode error is sent as it is, its detail as remark; any other error
// is SYSTEM_ERROR (1).
#pragma once

#include "base/result.h"
#include "net/service.h"

namespace rmq::roles {

net::Response to_response(const Error& error);

}  // namespace rmq::roles
