// gather: several tasks at the same time, all results in order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "net/await.h"
#include "net/io_threads.h"
#include "net/task.h"

namespace rmq::net {

// Runs all of `starts` on `thread`, which must be the awaiting coroutine's, and returns when the
// last one has ended.
template <class T>
Task<std::vector<T>> gather(IoThread& thread, std::vector<std::function<Task<T>()>> starts) {
  struct Shared {
    explicit Shared(std::size_t count) : results(count), running(count) {}
    std::vector<std::optional<T>> results;
    std::size_t running;
    Event ended;
  };
  RMQ_ASSERT(thread.is_current());
  const auto shared = std::make_shared<Shared>(starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::function<Task<>()> run = [shared, i, start = std::move(starts[i])]() -> Task<> {
      T result = co_await start();  // named: GCC 12 copies it bit by bit into an assignment
      shared->results[i] = std::move(result);
      if (--shared->running == 0) shared->ended.set();
    };
    spawn(thread, "gather", std::move(run));
  }
  if (!shared->results.empty()) (void)co_await shared->ended.wait_until(SteadyTime::max());
  std::vector<T> results;
  for (std::optional<T>& result : shared->results) results.push_back(std::move(*result));
  co_return results;
}

}  // namespace rmq::net
