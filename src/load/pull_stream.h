// PullStream: one connection that pulls from some queues, one request for each at a time, as
// consumers do, and counts what comes.
// Threads: all on the connection's io thread, but messages(), the events and take_result().
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/message_queue.h"
#include "load/load_result.h"
#include "net/await.h"
#include "net/connection.h"
#include "net/service.h"

namespace rmq::load {

enum class PullUntil {
  End,      // where the queue ended at the start
  Stopped,  // there it begins anew, until it is stopped
  Follow    // waits for new messages until it is stopped
};

struct PullStreamOptions {
  struct Range {
    client::MessageQueue queue;
    QueueOffset begin;
    QueueOffset end;
  };
  std::vector<Range> ranges;
  std::string group;
  std::string expression = "*";
  std::int32_t batch = 32;
  PullUntil until = PullUntil::End;
  protocol::SerializeType type = protocol::SerializeType::Json;
  // Latency is that of messages, from the stamp in their bodies (frame_template.h); otherwise that
  // of requests.
  bool end_to_end = false;
};

class PullStream final : public net::Service {
 public:
  explicit PullStream(PullStreamOptions options);

  // Pulls from every queue; what `window` contains is measured.
  void begin(net::Connection& connection, const Window& window);
  // Pulls no more; drained() is set when all was answered, or never will be.
  void end();
  // Set as well when every queue was read to its end.
  const net::Event& drained() const { return drained_; }
  // Nobody calls this object any more.
  const net::Event& closed() const { return closed_; }

  std::uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }
  // Once closed() is set.
  LoadResult take_result() { return std::move(result_); }

  void on_request(net::ReadTurn&, const protocol::CommandView&) override {}
  void on_turn_end(net::ReadTurn&) override {}
  void on_response(net::ReadTurn& turn, const protocol::CommandView& response) override;
  void on_closed(net::Connection&) override;

 private:
  struct Cursor {
    QueueOffset next;
    SteadyTime asked_at;
    bool reading = false;
  };

  void ask(net::Connection& connection, std::size_t index);
  void count(const protocol::CommandView& response, const Cursor& cursor, SteadyTime now);
  bool wants_more(Cursor& cursor, const PullStreamOptions::Range& range) const;

  const PullStreamOptions options_;
  std::vector<Cursor> cursors_;  // one per range
  std::size_t reading_ = 0;      // cursors with a request on its way
  Window window_;
  bool ended_ = false;
  net::Event drained_;
  net::Event closed_;
  std::atomic<std::uint64_t> messages_{0};
  LoadResult result_;
};

}  // namespace rmq::load
