// QueueLocks: which client of a group consumes a queue in order. A lock is free, its owner's, or
// expired 60 s after the owner last renewed it (clients renew every 20 s). In memory only: after a
// restart clients lock again. Source: RebalanceLockManager.java. Threads: any.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/string_map.h"
#include "protocol/client_body.h"

namespace rmq::roles::broker {

class QueueLocks {
 public:
  static constexpr std::chrono::milliseconds kLifetime{60'000};

  explicit QueueLocks(Clock& clock) : clock_(clock) {}

  // Locks or renews; returns the queues that `client_id` owns now.
  std::vector<protocol::MessageQueue> lock(std::string_view group, std::string_view client_id,
                                           const std::vector<protocol::MessageQueue>& queues);
  // Frees those that `client_id` owns.
  void unlock(std::string_view group, std::string_view client_id,
              const std::vector<protocol::MessageQueue>& queues);
  // True when no queue of the group is locked: then a re-sent retry message goes to the retry
  // topic.
  bool all_expired(std::string_view group) const;
  // Drops expired locks, so that groups that are gone take no memory.
  void sweep();

 private:
  struct Lock {
    std::string client_id;
    SteadyTime renewed;
  };
  bool expired(const Lock& lock) const { return clock_.steady_now() - lock.renewed > kLifetime; }

  Clock& clock_;
  mutable Mutex mutex_;
  StringMap<std::map<protocol::MessageQueue, Lock>> groups_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::roles::broker
