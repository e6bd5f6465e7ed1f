// Error -> response: a ResponseCode error is sent as it is, its detail as remark; any other error
// is SYSTEM_ERROR (1).
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/service.h"

namespace rmq::roles {

// The remark of SYSTEM_BUSY (2) when too many requests wait for the disk already.
inline constexpr std::string_view kDiskBusy =
    "[OVERLOAD]system busy, start flow control for a while";

net::Response to_response(const Error& error);

}  // namespace rmq::roles
