// GroupCommit: the thread that syncs the commit log. One fdatasync per touched segment serves
// everyone whose bytes were written before it began: they wait on the flushed watermark.
// A failed sync is final: it is reported once, the thread ends, and nothing is synced again.
// Threads: request_flush() and log_timestamp_ms() on any.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"
#include "base/watermark.h"
#include "storage/commit_log.h"

namespace rmq::storage {

class GroupCommit {
 public:
  struct Hooks {
    // The store time of the last record written, or of an earlier one.
    std::function<std::int64_t()> last_store_timestamp_ms;
    // On this thread, after the flushed watermark has moved.
    std::function<void()> on_flushed;
    // On this thread, once, before it ends.
    std::function<void(const Error&)> on_error;
  };

  GroupCommit(CommitLog& log, const Watermark<AppendedOffset>& appended,
              Watermark<FlushedOffset>& flushed)
      : log_(log), appended_(appended), flushed_(flushed) {}
  ~GroupCommit() { stop(Final::None); }

  // Syncs at least every `interval`. Everything before flushed.value() is on disk. Again after
  // stop(), too.
  void start(std::chrono::milliseconds interval, std::int64_t log_timestamp_ms, Hooks hooks);
  // Syncs as soon as the thread is free.
  void request_flush();
  enum class Final { None, Flush };
  // Final::Flush: syncs what is appended first. Not on this thread.
  void stop(Final final);

  // Records with an earlier store time are on disk.
  std::int64_t log_timestamp_ms() const {
    return log_timestamp_ms_.load(std::memory_order_acquire);
  }
  // The log was cut, and its last record has this store time. While it does not run.
  void rewind(std::int64_t log_timestamp_ms) { log_timestamp_ms_ = log_timestamp_ms; }

 private:
  void run(std::chrono::milliseconds interval);
  bool flush();

  CommitLog& log_;
  const Watermark<AppendedOffset>& appended_;
  Watermark<FlushedOffset>& flushed_;
  Hooks hooks_;
  std::thread thread_;
  std::atomic<std::int64_t> log_timestamp_ms_{0};

  Mutex mutex_;
  Condition changed_;
  bool requested_ RMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  bool final_flush_ RMQ_GUARDED_BY(mutex_) = false;
};

}  // namespace rmq::storage
