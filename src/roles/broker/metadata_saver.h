// MetadataSaver: a thread that writes the broker's tables under config/, because that waits for the
// disk: topics and groups as soon as they change, offsets periodically and at the end. A table that
// cannot be saved holds up no other; its failure is in the log once, and so is its end. See
// docs/decisions/ for why it is a thread. Threads: saver_thread inside; wake() any.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace rmq::roles::broker {

class MetadataSaver {
 public:
  using Save = std::function<Result<>()>;
  // `changed` run soon after wake(), and again a second later as long as one of them fails;
  // `periodic` every `period`.
  MetadataSaver(std::vector<Save> changed, std::vector<Save> periodic,
                std::chrono::milliseconds period);
  ~MetadataSaver() { stop(); }

  void start();
  void wake();
  // Saves both a last time.
  void stop();

 private:
  struct Table {
    Save save;
    std::string failure;  // in the log; empty: none
  };
  using Tables = std::vector<Table>;

  void run();
  static bool save(Tables& tables);
  // False when it is time to end.
  bool wait(std::chrono::steady_clock::time_point until);

  Tables changed_tables_;
  Tables periodic_tables_;
  const std::chrono::milliseconds period_;
  Mutex mutex_;
  Condition changed_;
  bool wake_ RMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rmq::roles::broker
