#include "net/endpoint.h"

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <charconv>

#include "net/asio_endpoint.h"

namespace rmq::net {

Endpoint to_endpoint(const asio::ip::tcp::endpoint& from) {
  Endpoint endpoint;
  asio::ip::address address = from.address();
  // A dual-stack listener sees IPv4 peers as ::ffff:a.b.c.d; the born host of a message wants the
  // four bytes.
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  const auto host = [&](const auto& ip) {
    return protocol::HostAddress(ByteView(reinterpret_cast<const std::byte*>(ip.data()), ip.size()),
                                 from.port());
  };
  endpoint.host =
      address.is_v4() ? host(address.to_v4().to_bytes()) : host(address.to_v6().to_bytes());
  endpoint.address = address.to_string();
  endpoint.port = from.port();
  return endpoint;
}

Result<std::pair<std::string, std::uint16_t>> split_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return fail(NetErrc::AddressMalformed, "'" + std::string(text) + "' is not host:port");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return fail(NetErrc::AddressMalformed,
                "'" + std::string(text) + "' has no port from 1 to 65535");
  }
  return std::pair(std::string(host), port);
}

Result<protocol::HostAddress> host_address(const std::string& ip, std::uint16_t port) {
  std::error_code malformed;
  const asio::ip::address address = asio::ip::make_address(ip, malformed);
  if (malformed) return fail(NetErrc::AddressMalformed, "'" + ip + "' is not a numeric IP address");
  const auto host = [&](const auto& bytes) {
    return protocol::HostAddress(
        ByteView(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()), port);
  };
  return address.is_v4() ? host(address.to_v4().to_bytes()) : host(address.to_v6().to_bytes());
}

}  // namespace rmq::net
