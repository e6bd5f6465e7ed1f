// ByteStream: a TCP connection of plain bytes, for what is not remoting frames: replication.
// It closes itself when the peer sends nothing for longer than the idle time.
// Threads: one coroutine may read while another one writes, both on the stream's own thread;
// close() and the getters on any.
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/connection.h"
#include "net/endpoint.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "net/task.h"

namespace rmq::net {

class ByteStream : public std::enable_shared_from_this<ByteStream> {
 public:
  ByteStream(IoThread& thread, Connection::Socket socket, std::chrono::milliseconds idle_max);

  // The other direction of StreamServer: connects to "host:port" within `timeout`, for `thread`.
  // Errors: NetErrc::AddressMalformed, NameNotResolved, ConnectFailed, TimedOut.
  static Task<Result<std::shared_ptr<ByteStream>>> connect(IoThread& thread, Resolver& resolver,
                                                           std::string address,
                                                           std::chrono::milliseconds timeout,
                                                           std::chrono::milliseconds idle_max);

  IoThread& thread() { return thread_; }
  const Endpoint& peer() const { return peer_; }
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Soon; what reads or writes then fails.
  void close();

  // Starts the idle time. Once, before the first read.
  void start();
  // What is there, at least one byte. Error: NetErrc::ConnectionClosed, the detail says why.
  Task<Result<std::size_t>> read_some(MutableByteView into);
  // Exactly as many bytes as `into` has.
  Task<Result<>> read(MutableByteView into);
  // All of `parts`, gathered. Error: as read_some().
  Task<Result<>> write(std::span<const ByteView> parts);

 private:
  void watch();
  void close_now(std::string why);

  IoThread& thread_;
  Connection::Socket socket_;
  Endpoint peer_;
  const std::chrono::milliseconds idle_max_;
  asio::steady_timer idle_;
  SteadyTime last_read_;
  std::string why_;  // it was closed
  std::atomic<bool> closed_{false};
};

}  // namespace rmq::net
