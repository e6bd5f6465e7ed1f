// BlockingPool: a few threads for work that may wait for the disk, so that no io thread does.
// Work is done in the order it came, by whoever is free. What may wait is bounded: beyond that,
// submit() refuses, and the caller says that it is busy.
// Threads: any.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace rmq {

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads = 2, std::size_t waiting_max = 1024);
  ~BlockingPool() { stop(); }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // False when too much is waiting, or after stop(); `work` is then destroyed without having run.
  bool submit(std::function<void()> work);
  // Does what was submitted, then ends the threads. Not on one of them.
  void stop();

 private:
  void run();

  const std::size_t waiting_max_;
  Mutex mutex_;
  Condition changed_;
  std::deque<std::function<void()>> waiting_ RMQ_GUARDED_BY(mutex_);
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace rmq
