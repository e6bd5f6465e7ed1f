#include "storage/group_commit.h"

#include <utility>

namespace rmq::storage {

void GroupCommit::start(std::chrono::milliseconds interval, std::int64_t log_timestamp_ms,
                        Hooks hooks) {
  RMQ_ASSERT(!thread_.joinable());
  hooks_ = std::move(hooks);
  log_timestamp_ms_ = log_timestamp_ms;
  {
    MutexLock lock(mutex_);
    requested_ = stopping_ = final_flush_ = false;
  }
  thread_ = std::thread([this, interval] { run(interval); });
}

void GroupCommit::request_flush() {
  bool asked_before = false;
  {
    MutexLock lock(mutex_);
    asked_before = std::exchange(requested_, true);
  }
  if (!asked_before) changed_.notify_one();
}

void GroupCommit::stop(Final final) {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    final_flush_ = final == Final::Flush;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void GroupCommit::run(std::chrono::milliseconds interval) {
  for (;;) {
    bool last = false;
    {
      MutexLock lock(mutex_);
      const auto deadline = std::chrono::steady_clock::now() + interval;
      while (!requested_ && !stopping_) {
        if (!changed_.wait_until(mutex_, deadline)) break;
      }
      requested_ = false;
      last = stopping_;
      if (last && !final_flush_) return;
    }
    if (!flush() || last) return;
  }
}

// False after a failed sync.
bool GroupCommit::flush() {
  // The time first: it may be older than the last record that is synced, never newer.
  const std::int64_t timestamp_ms = hooks_.last_store_timestamp_ms();
  const AppendedOffset target = appended_.value();
  const FlushedOffset from = flushed_.value();
  if (target.value <= from.value) return true;
  const Result<> synced = log_.sync(PhysicalOffset{from.value}, PhysicalOffset{target.value});
  if (!synced) {
    hooks_.on_error(synced.error());
    return false;
  }
  log_timestamp_ms_.store(timestamp_ms, std::memory_order_release);
  flushed_.advance(FlushedOffset{target.value});
  hooks_.on_flushed();
  return true;
}

}  // namespace rmq::storage
