// StreamServer: a listening port for byte streams; each is served by a coroutine on the thread
// for streams. Threads: as RpcServer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/byte_stream.h"
#include "net/io_threads.h"
#include "net/task.h"

namespace rmq::net {

class StreamServer {
 public:
  // `serve` runs once per stream, which is closed when it ends. What it refers to outlives the io
  // threads.
  using Serve = std::function<Task<>(std::shared_ptr<ByteStream>)>;

  StreamServer(IoThreads& threads, Serve serve, std::chrono::milliseconds idle_max);
  ~StreamServer();

  // As RpcServer::listen().
  Result<> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  void start_accepting();
  // Accepts no more and closes all streams; what serves them ends soon.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmq::net
