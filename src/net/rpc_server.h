// RpcServer: a listening port. Accepts on the control thread, gives each connection to the least
// loaded data thread. Threads: every call on the owner's thread, which is not an io thread; they
// return when done.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/io_threads.h"
#include "net/service.h"

namespace rmq::net {

class RpcServer {
 public:
  // `service` must outlive the io threads.
  RpcServer(IoThreads& threads, Service& service);
  ~RpcServer();

  // Binds. `address` is a numeric IP ("127.0.0.1", "0.0.0.0", "::"); port 0 picks a free one that
  // no outgoing connection is given. Connections wait in the kernel until start_accepting().
  // Errors: NetErrc::AddressInUse, AddressMalformed, or errno.
  Result<> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  void start_accepting();
  // Accepts no more; connections stay.
  void stop_accepting();
  // Lets connections answer what is in flight, then closes them; those that need longer than
  // `patience` are cut.
  void close_connections(std::chrono::milliseconds patience);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmq::net
