// run_on: work that may wait for the disk, from a coroutine that must not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/blocking_pool.h"
#include "base/result.h"
#include "net/await.h"
#include "net/task.h"

namespace rmq::net {

// What `work` returns, having run it on a thread of `pool`. Errors: its own; EAGAIN when too
// much is waiting there, and `work` has not run.
template <class T>
Task<Result<T>> run_on(BlockingPool& pool, std::function<Result<T>()> work) {
  struct Shared {
    std::optional<Result<T>> result;
    Event done;
  };
  const auto shared = std::make_shared<Shared>();
  std::function<void()> job = [shared, work = std::move(work)] {
    shared->result = work();
    shared->done.set();
  };
  if (!pool.submit(std::move(job))) {
    co_return fail(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  (void)co_await shared->done.wait_until(SteadyTime::max());
  co_return std::move(*shared->result);
}

}  // namespace rmq::net
