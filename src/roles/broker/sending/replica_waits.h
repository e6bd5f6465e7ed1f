// ReplicaWaits: what is to be done when replicas have the log up to an offset, or not in time.
// Every turn of sends to a synchronous master waits so; a coroutine and a timer for each would cost
// more than the sends.
// Threads: any. What is to be done is done on the thread that moves the mark, or on `thread` when
// its time is up: it must be short. The io threads have stopped before this goes.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/units.h"
#include "base/watermark.h"
#include "net/io_threads.h"
#include "net/task.h"

namespace rmq::roles::broker {

class ReplicaWaits {
 public:
  using Mark = Watermark<ConfirmedOffset>;
  using Then = std::function<void(const Result<>&)>;

  explicit ReplicaWaits(net::IoThread& thread) : thread_(thread) {}

  // Calls `then` once, perhaps before this returns. Errors it may get: NetErrc::TimedOut; the
  // reign's reason when it ended. `mark` lives as long as this.
  void wait(Mark& mark, ConfirmedOffset at, SteadyTime deadline, Then then);

 private:
  struct Entry {
    Mark* mark = nullptr;
    Mark::Ticket ticket;
    std::shared_ptr<Then> then;

    bool is_over() const { return mark->value().value >= ticket.first; }
  };

  net::Task<> watch();
  SteadyTime expire();

  net::IoThread& thread_;
  Mutex mutex_;
  std::multimap<SteadyTime, Entry> entries_ RMQ_GUARDED_BY(mutex_);  // by deadline
  bool watched_ RMQ_GUARDED_BY(mutex_) = false;                      // watch() runs
};

}  // namespace rmq::roles::broker
