// SendStream: one connection that sends, with so many requests on their way at a time, and measures
// how long each took.
// Threads: all on the connection's io thread, but messages(), the events and take_result().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "load/frame_template.h"
#include "load/load_result.h"
#include "load/queue_share.h"
#include "net/await.h"
#include "net/connection.h"
#include "net/service.h"

namespace rmq::load {

struct SendStreamOptions {
  std::shared_ptr<const std::vector<client::MessageQueue>> queues;
  QueueShare share;                   // of these
  std::vector<FrameTemplate> frames;  // one of them fits each queue
  std::int32_t messages_per_frame = 1;
  std::size_t bytes_per_frame = 0;  // of the bodies
  std::size_t in_flight = 1;        // requests without an answer
  bool closed_loop = true;          // the next request follows each answer
  std::uint64_t first_number = 0;   // of its messages
};

class SendStream final : public net::Service {
 public:
  explicit SendStream(SendStreamOptions options);

  // From now on what `window` contains is measured. Fills the line, when the loop is closed.
  void begin(net::Connection& connection, const Window& window);
  // Sends one request that was due at `due`, or remembers to do so when one on its way is answered.
  void send_due(net::Connection& connection, SteadyTime due);
  // Sends no more; drained() is set when all was answered, or never will be.
  void end();
  const net::Event& drained() const { return drained_; }
  // Nobody calls this object any more.
  const net::Event& closed() const { return closed_; }

  std::uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }
  // Once closed() is set. Unanswered requests count as errors.
  LoadResult take_result();

  void on_request(net::ReadTurn&, const protocol::CommandView&) override {}
  void on_turn_end(net::ReadTurn&) override {}
  void on_response(net::ReadTurn& turn, const protocol::CommandView& response) override;
  void on_closed(net::Connection&) override;

 private:
  const client::MessageQueue& next_queue();
  const FrameTemplate& frame_for(const client::MessageQueue& queue);
  void send(net::Connection& connection, SteadyTime due);
  void count(const protocol::CommandView& response, SteadyTime due, SteadyTime now);

  const SendStreamOptions options_;
  std::vector<SteadyTime> slots_;   // when the request with this opaque was due
  std::vector<std::size_t> free_;   // slots without a request
  std::deque<SteadyTime> waiting_;  // due, but the line is full
  std::size_t next_queue_;
  std::size_t last_frame_ = 0;
  std::uint64_t next_number_;
  Window window_;
  bool ended_ = false;
  net::Event drained_;
  net::Event closed_;
  std::atomic<std::uint64_t> messages_{0};
  LoadResult result_;
};

}  // namespace rmq::load
