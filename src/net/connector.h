// One outgoing TCP connect, with name look-up and a deadline.
// Threads: connect_socket() on any io thread; the socket belongs to the thread it was made for.
#pragma once

#include <asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <system_error>

#include "base/clock.h"
#include "base/result.h"
#include "net/await.h"
#include "net/connection.h"
#include "net/io_threads.h"
#include "net/port_probe.h"
#include "net/resolver.h"
#include "net/task.h"

namespace rmq::net {

struct Connecting : std::enable_shared_from_this<Connecting> {
  Connecting(IoThread& t, SteadyTime deadline)
      : thread(t), socket(t.context()), timer(t.context(), deadline) {}

  void start(const asio::ip::tcp::endpoint& to);

  IoThread& thread;
  Connection::Socket socket;
  asio::steady_timer timer;
  Event done;
  std::error_code error;
};

// Connects to `address` ("host:port"), on `thread`. Errors: NetErrc::AddressMalformed,
// NameNotResolved, ConnectFailed, TimedOut; the detail names the address.
Task<Result<std::shared_ptr<Connecting>>> connect_socket(Resolver& resolver, IoThread& thread,
                                                         std::string address, SteadyTime deadline);

}  // namespace rmq::net
