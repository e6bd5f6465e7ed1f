// Which of this machine's addresses others should use.
// Threads: any.
#pragma once

#include <optional>
#include <string>

namespace rmq::cli {

bool is_ip_address(const std::string& text);
bool is_loopback(const std::string& address);
// "0.0.0.0" or "::".
bool is_any_address(const std::string& address);

// The local address from which packets to `ip` leave; nothing is sent. Nothing if there is no
// route.
std::optional<std::string> source_address_towards(const std::string& ip);

// The address of the default route; without one, the first public IPv4 address, else the last
// private one, else loopback.
std::string primary_address();

}  // namespace rmq::cli
