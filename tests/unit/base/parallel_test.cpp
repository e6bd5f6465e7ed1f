#include "base/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace rmq {

TEST_CASE("parallel: each index once, few of them here and in order") {
  for (const std::size_t count : {0U, 1U, 10U, 5000U}) {
    CAPTURE(count);
    std::vector<std::atomic<int>> done(count);
    Mutex mutex;
    std::vector<std::size_t> order;
    std::set<std::thread::id> threads;
    REQUIRE(for_each_parallel(count, [&](std::size_t index) {
      ++done[index];
      MutexLock lock(mutex);
      order.push_back(index);
      threads.insert(std::this_thread::get_id());
      return Result<>();
    }));
    for (const auto& times : done) CHECK(times == 1);
    if (count > 10) continue;
    CHECK(std::ranges::is_sorted(order));
    CHECK(threads.size() <= 1);
    if (count > 0) CHECK(threads.contains(std::this_thread::get_id()));
  }
}

TEST_CASE("parallel: the others work while one waits") {
  std::atomic<int> done{0};
  REQUIRE(for_each_parallel(1000, [&](std::size_t) {
    if (done.fetch_add(1) == 0) {
      while (done < 1000) std::this_thread::yield();
    }
    return Result<>();
  }));
  CHECK(done == 1000);
}

TEST_CASE("parallel: an error ends it") {
  for (const std::size_t count : {10U, 5000U}) {
    CAPTURE(count);
    std::atomic<int> done{0};
    const Result<> outcome = for_each_parallel(count, [&](std::size_t index) -> Result<> {
      ++done;
      if (index == 3) return fail(std::make_error_code(std::errc::io_error), "the disk");
      return {};
    });
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().detail == "the disk");
    if (count == 10) CHECK(done == 4);
  }
}

}  // namespace rmq
