// RpcServer: a listening port. Accepts on the control thread, gives each connection to the least loaded data thread.
// Threads: listen() and stop() on the owner's; they return when done.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/io_threads.h"
#include "net/service.h"

namespace rmq::net {

class RpcServer {
 public:
  // `service` must outlive the server and all its connections.
  RpcServer(IoThreads& threads, Service& service);
  ~RpcServer();

  // `address` is a numeric IP ("127.0.0.1", "0.0.0.0", "::"); port 0 picks a free one. After it the port accepts.
  // Errors: NetErrc::AddressInUse, or errno.
  Result<> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  // Accepts no more; connections stay.
  void stop_accepting();
  // Closes all connections once their output is sent, or after `deadline` at the latest.
  void close_connections(std::chrono::milliseconds deadline);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmq::net
