// DelayService: the thread that delivers delayed messages when they are due. It sleeps exactly
// until the next one is, and is woken when one arrives that is due earlier. Why a thread:
// docs/decisions/0008.
// Threads: start() and stop() on the owner's, on_arrival() on the dispatcher.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <thread>

#include "base/mutex.h"
#include "roles/broker/delivery/due_messages.h"
#include "storage/arrival.h"

namespace rmq::roles::broker {

class DelayService {
 public:
  // All outlive the service; `progress` is loaded.
  DelayService(storage::MessageStore& store, DelayProgress& progress, Clock& clock)
      : due_(store, progress, clock), clock_(clock) {}
  ~DelayService() { stop(); }

  // Again after stop(), too.
  void start();
  // Returns when the append under way is done. Before the store stops.
  void stop();

  void on_arrival(std::span<const storage::Arrival> arrivals);

 private:
  void run();
  bool wait(const DueMessages::Round& round);
  void wake();

  DueMessages due_;
  Clock& clock_;
  // An arrival due earlier than this must wake the thread. Greatest while the thread looks at the
  // queues, which may have seen the arrival or not.
  std::atomic<std::int64_t> sleeps_until_ms_{0};

  Mutex mutex_;
  Condition changed_;
  bool woken_ RMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rmq::roles::broker
