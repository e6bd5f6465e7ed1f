// Every bridge from a thread, a timer or a callback to a coroutine.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/result.h"
#include "base/watermark.h"
#include "net/io_threads.h"
#include "net/net_errc.h"
#include "net/task.h"

namespace rmq::net {

Task<> sleep_for(std::chrono::milliseconds duration);

// A one-shot event: set() from any thread, wait() on one coroutine. wait() is false when the deadline passed first.
class Event {
 public:
  Event();
  ~Event();
  void set();
  Task<bool> wait_until(SteadyTime deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Waits until `mark` has reached `at`. Errors: NetErrc::TimedOut after `deadline`; the reign's reason when it ended.
template <class Offset>
Task<Result<>> await_at_least(Watermark<Offset>& mark, Offset at, SteadyTime deadline);

// Runs `task` on `thread` and blocks the calling thread, which must not be an io thread, until it ends.
template <class T>
T run_blocking(IoThread& thread, std::function<Task<T>()> start);

}  // namespace rmq::net
