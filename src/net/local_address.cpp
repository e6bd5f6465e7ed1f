#include "net/local_address.h"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>

#include "net/net_errc.h"

namespace rmq::net {

Result<std::string> local_address_towards(const std::string& ip, std::uint16_t port) {
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(ip, error);
  if (error) return fail(NetErrc::AddressMalformed, "'" + ip + "' is not a numeric IP address");
  asio::io_context context;
  asio::ip::udp::socket socket(context);
  const asio::ip::udp::endpoint to(address, port);
  socket.open(to.protocol(), error);
  if (!error) socket.connect(to, error);  // chooses a route; sends nothing
  if (error) return fail(error, "no route to " + ip);
  const auto local = socket.local_endpoint(error);
  if (error) return fail(error, "no local address towards " + ip);
  return local.address().to_string();
}

bool is_wildcard(const std::string& ip) {
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(ip, error);
  return !error && address.is_unspecified();
}

bool is_loopback(const std::string& ip) {
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(ip, error);
  return !error && address.is_loopback();
}

bool is_free(const std::string& ip, std::uint16_t port) {
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(ip, error);
  if (error) return false;
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context);
  const asio::ip::tcp::endpoint endpoint(address, port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1, error);
  return !error;
}

}  // namespace rmq::net
