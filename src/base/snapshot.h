// Snapshot<T>: an immutable value that one side replaces whole and many threads read.
// SnapshotReader<T> caches the current one, so that reading costs one atomic load as long as
// nothing changed. Threads: Snapshot any; a SnapshotReader belongs to one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/mutex.h"

namespace rmq {

template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> initial = std::make_shared<const T>())
      : current_(std::move(initial)) {}

  void publish(std::shared_ptr<const T> next) {
    MutexLock lock(mutex_);
    current_.swap(next);
    version_.fetch_add(1, std::memory_order_release);
  }
  std::shared_ptr<const T> load() const {
    MutexLock lock(mutex_);
    return current_;
  }
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> current_ RMQ_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> version_{1};
};

template <class T>
class SnapshotReader {
 public:
  explicit SnapshotReader(const Snapshot<T>& source) : source_(&source) {}

  // Valid until the next call on this reader.
  const T& get() {
    refresh();
    return *cached_;
  }
  // Whether get() changes what it returned before.
  bool refresh() {
    const std::uint64_t version = source_->version();
    if (version == seen_) return false;
    cached_ = source_->load();
    seen_ = version;
    return true;
  }

 private:
  const Snapshot<T>* source_;
  std::shared_ptr<const T> cached_;
  std::uint64_t seen_ = 0;
};

}  // namespace rmq
