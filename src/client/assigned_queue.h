// AssignedQueue: a queue that a consumer reads at present: what it has of it, and how its parts
// wake each other. Threads: the consumer's own, but for the flags, which listeners look at too.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "client/message_queue.h"
#include "client/process_queue.h"
#include "net/await.h"
#include "protocol/route_body.h"

namespace rmq::client {

// Wakes whoever waits at the moment. Threads: one.
class Signal {
 public:
  void notify() {
    event_.set();
    event_ = net::Event();
  }
  // Set at the next notify().
  net::Event next() const { return event_; }

 private:
  net::Event event_;
};

struct AssignedQueue {
  explicit AssignedQueue(MessageQueue q, QueueOffset from) : queue(std::move(q)), next(from) {}

  // Begins the end: no more pulls, no more calls of listeners.
  void close() {
    closing = true;
    held_pull.set();
    changed.notify();
  }
  // Waits until no listener has messages of it; false when `deadline` passed first.
  net::Task<bool> idle(SteadyTime deadline) {
    while (running > 0) {
      const net::Event event = changed.next();
      const bool in_time = co_await event.wait_until(deadline);
      if (!in_time) co_return false;
    }
    co_return true;
  }

  const MessageQueue queue;
  std::atomic<bool> closing{false};
  bool given_up = false;   // what becomes of its messages now counts no more
  bool restarted = false;  // it was moved to `next`
  bool paused = false;     // not pulled from, by the application's wish
  QueueOffset next;        // where the next pull begins
  ProcessQueue messages;
  std::int64_t replica = protocol::kMasterId;  // that the broker suggested to read from
  std::size_t running = 0;                     // calls of listeners, and what they cause
  Signal changed;                              // there is room, a lock, an end
  net::Event held_pull;  // set: whoever waits for the pull under way goes on without it
  bool locked = false;   // orderly consumers
  SteadyTime locked_at{};
  std::int64_t last_lock_ms = 0;
  std::int64_t last_pull_ms = 0;
  std::int64_t last_consume_ms = 0;
};

using QueuePtr = std::shared_ptr<AssignedQueue>;

}  // namespace rmq::client
