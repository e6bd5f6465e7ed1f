// LongPolls: pulls that found nothing and wait for a message in their queue. Dispatch wakes exactly
// the pulls of a queue whose tags match; a sweep wakes those whose time is up, and every 5 s all
// whose queue grew, so that a consumer whose tags never match moves on too. Waking runs the whole
// pull again, without waiting this time, on the connection's thread. Source:
// PullRequestHoldService.java. Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/units.h"
#include "net/connection.h"
#include "protocol/command.h"
#include "protocol/tag_filter.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

struct HeldPull {
  std::shared_ptr<net::Connection> connection;
  std::shared_ptr<const protocol::Command> command;  // the request, to be run again
  QueueOffset from;
  std::shared_ptr<const protocol::TagFilter> tags;  // null: every tag
  SteadyTime deadline;
};

class LongPolls {
 public:
  // `again` runs a held pull once more; called on the pull's connection thread.
  using Again = std::function<void(net::Connection&, const protocol::Command&)>;
  explicit LongPolls(Again again) : again_(std::move(again)) {}

  // Beyond it pulls are answered at once: memory for waiting is bounded.
  static constexpr std::size_t kHeldMax = 200'000;

  // Holds `pull` until a message with an offset of at least `pull.from` arrives in `queue`. False
  // when too many wait. The caller must look at the queue again afterwards: a message may have come
  // in between; then wake().
  bool hold(const storage::Queue& queue, HeldPull pull);
  // Wakes every pull of `queue`, whatever its tags.
  void wake(const storage::Queue& queue);
  // On the dispatcher thread, after the messages can be read.
  void on_arrival(std::span<const storage::Arrival> arrivals);
  // Wakes pulls whose time is up; with `end_of` also those whose queue ends past their offset.
  // Forgets the dead.
  void sweep(SteadyTime now, const std::function<QueueOffset(const storage::Queue&)>* end_of);

  std::size_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  using Held = std::vector<HeldPull>;
  // Moves out of `from` all that `ready` says.
  template <class Ready>
  void take(Held& from, Held& into, const Ready& ready) RMQ_REQUIRES(mutex_);
  void run(Held pulls);

  const Again again_;
  std::atomic<std::size_t> held_{0};
  Mutex mutex_;
  std::unordered_map<const storage::Queue*, Held> queues_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::roles::broker
