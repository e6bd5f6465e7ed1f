// Watermark<Offset>: a number that only grows within one reign, and those who wait for it.
//
// A waiter is a callback; it runs exactly once, on the thread that calls advance(), end_reign() or,
// when the mark is already there, when_at_least() itself. Callbacks must be short (usually: post to
// an executor) and must not call back into the watermark. Deadlines are the waiter's business:
// cancel() its ticket. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace rmq {

template <class Offset>
class Watermark {
 public:
  using Callback = std::function<void(Result<>)>;
  using Ticket = std::pair<std::int64_t, std::uint64_t>;

  explicit Watermark(Offset start = {}) : value_(start.value) {}

  Offset value() const { return Offset{value_.load(std::memory_order_acquire)}; }

  // Raises the mark to `to`; lower or equal values are ignored.
  void advance(Offset to) {
    std::vector<Callback> ready;
    {
      MutexLock lock(mutex_);
      if (to.value <= value_.load(std::memory_order_relaxed)) return;
      value_.store(to.value, std::memory_order_release);
      const auto end = waiters_.upper_bound({to.value, UINT64_MAX});
      for (auto it = waiters_.begin(); it != end; ++it) ready.push_back(std::move(it->second));
      waiters_.erase(waiters_.begin(), end);
    }
    for (Callback& callback : ready) callback({});
  }

  // Runs `callback` when the mark has reached `at`; at once, and without a ticket, when it already
  // has, between two reigns, or when the watermark is closed.
  std::optional<Ticket> when_at_least(Offset at, Callback callback) {
    Result<> outcome;
    {
      MutexLock lock(mutex_);
      if (value_.load(std::memory_order_relaxed) < at.value) {
        if (!closed_ && !ended_) {
          const Ticket ticket{at.value, next_id_++};
          waiters_.emplace(ticket, std::move(callback));
          return ticket;
        }
        outcome = fail(closed_ ? *closed_ : *ended_);
      }
    }
    callback(std::move(outcome));
    return std::nullopt;
  }

  // The last reign ends: every waiter, and everyone who comes later and asks for more than value(),
  // fails with `why`.
  void close(const Error& why) {
    std::map<Ticket, Callback> failed;
    {
      MutexLock lock(mutex_);
      if (!closed_) closed_ = why;
      failed.swap(waiters_);
    }
    for (auto& [ticket, callback] : failed) callback(fail(why));
  }

  // True when the waiter was still there; its callback will not run then.
  bool cancel(const Ticket& ticket) {
    MutexLock lock(mutex_);
    return waiters_.erase(ticket) > 0;
  }

  // The reign ends: every waiter fails with `why`, and so does, until begin_reign(), everyone who
  // asks for more than value(). The mark may still grow.
  void end_reign(const Error& why) {
    std::map<Ticket, Callback> failed;
    {
      MutexLock lock(mutex_);
      ended_ = why;
      failed.swap(waiters_);
    }
    for (auto& [ticket, callback] : failed) callback(fail(why));
  }

  // A new reign starts where the mark is, or at `restart`, which may be lower.
  void begin_reign() {
    MutexLock lock(mutex_);
    ended_.reset();
  }
  void begin_reign(Offset restart) {
    MutexLock lock(mutex_);
    value_.store(restart.value, std::memory_order_release);
    ended_.reset();
  }

  // Both at once.
  void end_reign(const Error& why, Offset restart) {
    end_reign(why);
    begin_reign(restart);
  }

 private:
  Mutex mutex_;
  std::atomic<std::int64_t> value_;
  std::map<Ticket, Callback> waiters_ RMQ_GUARDED_BY(mutex_);
  std::uint64_t next_id_ RMQ_GUARDED_BY(mutex_) = 0;
  std::optional<Error> closed_ RMQ_GUARDED_BY(mutex_);
  std::optional<Error> ended_ RMQ_GUARDED_BY(mutex_);  // between two reigns
};

}  // namespace rmq
