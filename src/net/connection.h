// Connection: one TCP connection that speaks remoting frames in both directions. It lives and dies
// on one io thread. A read turn takes all that the socket has, hands every complete frame to the
// Service or, the response to a call(), to its caller, and flushes what was written meanwhile with
// one gathered write.
//
// Memory: an idle connection owns no buffer: it reads into its thread's scratch and keeps only what
// an incomplete frame has sent so far, counted against one budget for the process (net_limits.h).
// Reading stops while too much output or too many unanswered requests are pending.
#pragma once

#include <asio/ip/tcp.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/endpoint.h"
#include "net/io_threads.h"
#include "net/net_errc.h"
#include "net/outbox.h"
#include "net/response_frame.h"
#include "net/service.h"
#include "net/task.h"
#include "protocol/command.h"

namespace rmq::net {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

  // `service` may be null: requests are then answered with code 3. It must outlive the connection.
  Connection(IoThread& thread, Socket socket, Service* service);
  ~Connection();

  // Any thread.
  std::uint64_t id() const { return id_; }
  const Endpoint& peer() const { return peer_; }
  const Endpoint& local() const { return local_; }
  IoThread& thread() { return thread_; }
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Closed, and its service has heard of it: it calls nobody any more.
  bool gone() const { return gone_.load(std::memory_order_acquire); }
  // Closes soon, without waiting for output.
  void close();
  // Reads no more requests; closes as soon as what is pending was answered and sent.
  void drain();
  // Runs `work` on the connection's thread, then flushes; at once when called there.
  void post(std::function<void(Connection&)> work);
  // Sends a request and waits for its response on the awaiting coroutine's own thread.
  // Errors: NetErrc::TimedOut, ConnectionClosed.
  Task<Result<protocol::Command>> call(protocol::Command request,
                                       std::chrono::milliseconds timeout);
  // Sends a request nobody answers; sets the one-way flag.
  void send_oneway(protocol::Command request);
  // Starts reading. Once.
  void start();

  // Its thread only.
  Outbox& out() { return outbox_; }
  void flush();
  // Requests that were taken but not yet answered: above kPendingMax reading stops. Long polls do
  // not count.
  void add_pending(std::size_t count) { pending_ += count; }
  void remove_pending(std::size_t count);
  // Closes what is idle or stuck; ConnectionTable calls it once a second.
  void sweep(SteadyTime now);

 private:
  struct PendingCall;

  void wait_readable();
  void on_readable();
  void wait_writable();
  // Reads what the socket has, behind what partial_ holds; nothing when that was an error or would
  // block.
  struct Read {
    bool partial_complete = false;
    MutableByteView scratch;  // bytes read into the scratch
    Bytes completed;          // the frame that partial_ held
  };
  bool read_some(Read& read);
  bool grow_partial();
  bool keep_partial(ByteView rest);
  Bytes take_partial();
  bool serve_frames(ReadTurn& turn, Read& read);
  bool serve_frame(ReadTurn& turn, MutableByteView frame);
  bool complete_call(const protocol::CommandView& response);
  void resume_reading();
  void close_now(std::string_view why);

  IoThread& thread_;
  Socket socket_;
  Service* const service_;
  const std::uint64_t id_;
  Endpoint peer_;
  Endpoint local_;
  Outbox outbox_;
  Bytes partial_;                  // the beginning of a frame that is not complete yet
  std::size_t partial_have_ = 0;   // bytes of partial_ that were received
  std::size_t partial_need_ = 0;   // the frame's whole size; 0 while unknown
  std::size_t partial_share_ = 0;  // bytes counted against PartialBudget
  SteadyTime partial_since_;
  std::size_t pending_ = 0;
  bool reading_ = false;         // a wait for readability is under way
  bool waiting_write_ = false;   // likewise for writability
  bool paused_ = false;          // reading stopped by output, pending requests or the budget
  bool in_turn_ = false;         // flush() is left to the end of the turn
  bool served_request_ = false;  // this turn had a request
  bool draining_ = false;
  std::atomic<bool> closed_{false};
  std::atomic<bool> gone_{false};
  SteadyTime last_active_;
  std::int32_t next_opaque_ = 1;
  std::unordered_map<std::int32_t, std::shared_ptr<PendingCall>> calls_;
};

}  // namespace rmq::net
