#include "net/connector.h"

#include <asio/ip/tcp.hpp>
#include <chrono>

#include "net/endpoint.h"
#include "net/net_errc.h"

namespace rmq::net {

void Connecting::start(const asio::ip::tcp::endpoint& to) {
  thread.post([self = shared_from_this(), to] {
    self->timer.async_wait([self](std::error_code cancelled) {
      if (cancelled) return;
      std::error_code ignored;
      self->socket.close(ignored);
    });
    self->socket.async_connect(to, [self](std::error_code failed) {
      self->timer.cancel();
      self->error = failed;
      self->done.set();
    });
  });
}

namespace {

// Ended, one way or the other; `error` says how. Errors: those before the connect, and TimedOut.
Task<Result<std::shared_ptr<Connecting>>> attempt(Resolver& resolver, IoThread& thread,
                                                  std::string address, SteadyTime deadline) {
  RMQ_CO_TRY(auto parts, split_address(address));
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  RMQ_CO_TRY(const std::string ip, co_await resolver.resolve(parts.first, left));
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(ip), parts.second);
  const auto connecting = std::make_shared<Connecting>(thread, deadline);
  connecting->start(endpoint);
  const bool told = co_await connecting->done.wait_until(deadline + std::chrono::seconds(1));
  if (!told || connecting->error == asio::error::operation_aborted) {
    co_return fail(NetErrc::TimedOut, "connecting to " + address);
  }
  co_return connecting;
}

}  // namespace

Task<Result<std::shared_ptr<Connecting>>> connect_socket(Resolver& resolver, IoThread& thread,
                                                         std::string address, SteadyTime deadline) {
  RMQ_CO_TRY(const std::shared_ptr<Connecting> connecting,
             co_await attempt(resolver, thread, address, deadline));
  if (connecting->error) {
    co_return fail(NetErrc::ConnectFailed, address + ": " + connecting->error.message());
  }
  co_return connecting;
}

Task<bool> port_refuses(Resolver& resolver, IoThread& thread, std::string address,
                        std::chrono::milliseconds patience) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  const Result<std::shared_ptr<Connecting>> tried =
      co_await attempt(resolver, thread, address, deadline);
  co_return tried && (*tried)->error == asio::error::connection_refused;
}

}  // namespace rmq::net
