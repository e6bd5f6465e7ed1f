// RpcClient: outgoing calls, one shared connection per address ("host:port"), opened on first use
// and again after it broke. Names are resolved by c-ares. Threads: any; call() resumes on the
// awaiting coroutine's own thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/connection.h"
#include "net/io_threads.h"
#include "net/task.h"
#include "protocol/command.h"

namespace rmq::net {

class RpcClient {
 public:
  // `service` serves requests that servers send back (may be null); it must outlive the client.
  RpcClient(IoThreads& threads, Service* service = nullptr);
  ~RpcClient();  // closes all connections

  // Connects when needed, sends, waits. `timeout` covers all of it.
  // Errors: NetErrc::NameNotResolved, ConnectFailed, TimedOut, ConnectionClosed; the detail names
  // the address.
  Task<Result<protocol::Command>> call(std::string address, protocol::Command request,
                                       std::chrono::milliseconds timeout);
  // Fire and forget on an existing or new connection. Errors as call() up to the write.
  Task<Result<>> send_oneway(std::string address, protocol::Command request,
                             std::chrono::milliseconds timeout);
  // The live connection to `address`, made if needed.
  Task<Result<std::shared_ptr<Connection>>> connection(std::string address,
                                                       std::chrono::milliseconds timeout);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmq::net
