// Every bridge from a thread, a timer or a callback to a coroutine.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "base/watermark.h"
#include "net/io_threads.h"
#include "net/net_errc.h"
#include "net/task.h"

namespace rmq::net {

// Ends early, and quietly, when its io thread stops.
Task<> sleep_for(std::chrono::milliseconds duration);

// A one-shot event: set() from any thread, wait_until() on any number of coroutines.
class Event {
 public:
  Event();
  void set() const;
  // False when `deadline` passed first.
  Task<bool> wait_until(SteadyTime deadline) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Waits until `mark` has reached `at`. Errors: NetErrc::TimedOut after `deadline`; the reign's
// reason when it ended.
template <class Offset>
Task<Result<>> await_at_least(Watermark<Offset>& mark, Offset at, SteadyTime deadline) {
  struct Shared {
    Event event;
    Result<> result;
  };
  const auto shared = std::make_shared<Shared>();
  std::function<void(Result<>)> callback = [shared](Result<> result) {
    shared->result = std::move(result);
    shared->event.set();
  };
  const auto ticket = mark.when_at_least(at, std::move(callback));
  if (!ticket) co_return std::move(shared->result);
  if (!co_await shared->event.wait_until(deadline) && mark.cancel(*ticket)) {
    co_return fail(NetErrc::TimedOut);
  }
  // Either set, or the mark came between the deadline and cancel(): its callback is about to set
  // the event.
  while (!co_await shared->event.wait_until(std::chrono::steady_clock::now() +
                                            std::chrono::seconds(1))) {
  }
  co_return std::move(shared->result);
}

// Runs start() on `thread` and blocks the calling thread, which must not be an io thread, until it
// ends.
template <class T>
T run_blocking(IoThread& thread, std::function<Task<T>()> start) {
  const auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  std::function<Task<>()> run = [promise, start = std::move(start)]() -> Task<> {
    if constexpr (std::is_void_v<T>) {
      co_await start();
      promise->set_value();
    } else {
      T result = co_await start();  // named: GCC 12 copies the temporary of a call bit by bit
      promise->set_value(std::move(result));
    }
  };
  spawn(thread, "run_blocking", std::move(run));
  return future.get();
}

}  // namespace rmq::net
