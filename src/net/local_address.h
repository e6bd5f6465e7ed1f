// Which of this machine's addresses a peer would see.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace rmq::net {

// The local IP from which packets to `ip` (numeric) would leave; nothing is sent. Errors: NetErrc::AddressMalformed, or
// errno when there is no route.
Result<std::string> local_address_towards(const std::string& ip, std::uint16_t port);

// True for 0.0.0.0 and ::.
bool is_wildcard(const std::string& ip);
// True for 127.0.0.0/8 and ::1.
bool is_loopback(const std::string& ip);

// True when a listener could bind `ip`:`port` right now.
bool is_free(const std::string& ip, std::uint16_t port);

}  // namespace rmq::net
