// Endpoint: one side of a TCP connection, numeric. "host:port" texts are split here too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "net/net_errc.h"
#include "protocol/host_address.h"

namespace rmq::net {

struct Endpoint {
  std::string address;  // numeric IP
  std::uint16_t port = 0;
  protocol::HostAddress host;  // the same in binary: the born host of a message

  // "1.2.3.4:5678" or "[::1]:5678".
  std::string text() const {
    const bool v6 = address.find(':') != std::string::npos;
    return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
  }
};

// "host:port", "1.2.3.4:port" or "[::1]:port" apart. Errors: NetErrc::AddressMalformed.
Result<std::pair<std::string, std::uint16_t>> split_address(std::string_view text);

// A numeric IP and a port in binary. Errors: NetErrc::AddressMalformed.
Result<protocol::HostAddress> host_address(const std::string& ip, std::uint16_t port);

}  // namespace rmq::net
