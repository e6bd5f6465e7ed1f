#include "net/acceptor.h"

#include <asio/error.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <random>
#include <utility>

#include "base/log.h"
#include "net/await.h"
#include "net/net_limits.h"

namespace rmq::net {
namespace {

// For port 0: below those that Linux gives to outgoing connections (net.ipv4.ip_local_port_range),
// any of which may have the port when the server starts again where it was. A broker takes the one
// above as well.
constexpr std::uint16_t kFreePortMin = 20'000;
constexpr std::uint16_t kFreePortMax = 32'766;
constexpr int kFreePortTries = 1'000;

}  // namespace

Acceptor::Acceptor(IoThread& control, Choose choose, Take take)
    : control_(control),
      choose_(std::move(choose)),
      take_(std::move(take)),
      acceptor_(control.context()) {}

Result<> Acceptor::listen(const std::string& address, std::uint16_t port) {
  if (port != 0) return bind(address, port);
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::uint16_t> ports(kFreePortMin, kFreePortMax);
  for (int i = 0; i < kFreePortTries; ++i) {
    Result<> bound = bind(address, ports(random));
    if (bound || bound.error().code != NetErrc::AddressInUse) return bound;
  }
  return bind(address, 0);
}

Result<> Acceptor::bind(const std::string& address, std::uint16_t port) {
  std::error_code error;
  const asio::ip::address ip = asio::ip::make_address(address, error);
  if (error)
    return fail(NetErrc::AddressMalformed, "'" + address + "' is not a numeric IP address");
  const asio::ip::tcp::endpoint endpoint(ip, port);
  const std::string where = address + ":" + std::to_string(port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kListenBacklog, error);
  if (error) {
    std::error_code ignored;
    acceptor_.close(ignored);
  }
  if (error == asio::error::address_in_use) return fail(NetErrc::AddressInUse, where);
  if (error) return fail(error, "listening on " + where);
  port_ = acceptor_.local_endpoint(error).port();
  return {};
}

void Acceptor::start() {
  control_.post([self = shared_from_this()] { self->accept(); });
}

void Acceptor::stop() {
  std::function<Task<>()> close = [self = shared_from_this()]() -> Task<> {
    std::error_code ignored;
    self->acceptor_.close(ignored);
    co_return;
  };
  run_blocking<void>(control_, std::move(close));
}

void Acceptor::accept() {
  if (!acceptor_.is_open()) return;
  IoThread& thread = choose_();
  const auto socket = std::make_shared<Connection::Socket>(thread.context());
  acceptor_.async_accept(*socket,
                         [self = shared_from_this(), &thread, socket](std::error_code error) {
                           if (!self->acceptor_.is_open()) return;
                           if (error) return self->accept_later(error);
                           self->take_(thread, std::move(*socket));
                           self->accept();
                         });
}

// Out of descriptors, most likely: the backlog waits, connections that end make room.
void Acceptor::accept_later(std::error_code error) {
  log::warn("net", "cannot accept connections, trying again", kv("port", port_),
            kv("why", error.message()));
  auto timer =
      std::make_shared<asio::steady_timer>(control_.context(), std::chrono::milliseconds(100));
  timer->async_wait([self = shared_from_this(), timer](std::error_code) { self->accept(); });
}

}  // namespace rmq::net
