// MetadataSaver: a thread that writes the broker's tables under config/, because that waits for the
// disk: topics and groups as soon as they change, offsets periodically and at the end. See
// docs/decisions/ for why it is a thread. Threads: saver_thread inside; wake() any.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"
#include "base/result.h"

namespace rmq::roles::broker {

class MetadataSaver {
 public:
  // `save_changed` runs soon after wake(), and again a second later as long as it fails;
  // `save_periodic` every `period`.
  MetadataSaver(std::function<Result<>()> save_changed, std::function<Result<>()> save_periodic,
                std::chrono::milliseconds period);
  ~MetadataSaver() { stop(); }

  void start();
  void wake();
  // Saves both a last time.
  void stop();

 private:
  void run();
  // False when it is time to end.
  bool wait(std::chrono::steady_clock::time_point until);

  const std::function<Result<>()> save_changed_;
  const std::function<Result<>()> save_periodic_;
  const std::chrono::milliseconds period_;
  Mutex mutex_;
  Condition changed_;
  bool wake_ RMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rmq::roles::broker
