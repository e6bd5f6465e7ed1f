#include "base/blocking_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <set>

namespace rmq {

TEST_CASE("blocking pool: work is done on other threads, all of it before the end") {
  std::atomic<int> done{0};
  std::atomic<bool> elsewhere{true};
  const std::thread::id here = std::this_thread::get_id();
  {
    BlockingPool pool(3);
    for (int i = 0; i < 100; ++i) {
      CHECK(pool.submit([&] {
        elsewhere = elsewhere && std::this_thread::get_id() != here;
        ++done;
      }));
    }
  }
  CHECK(done == 100);
  CHECK(elsewhere);
}

TEST_CASE("blocking pool: work that waits does not hold up the other thread") {
  BlockingPool pool(2);
  std::promise<void> release;
  std::promise<void> ran;
  std::shared_future<void> released(release.get_future());
  CHECK(pool.submit([released] { released.wait(); }));
  CHECK(pool.submit([&ran] { ran.set_value(); }));
  ran.get_future().wait();
  release.set_value();
}

TEST_CASE("blocking pool: what waits is bounded, and nothing is taken after stop") {
  BlockingPool pool(1, 2);
  std::promise<void> began;
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  CHECK(pool.submit([&began, released] {
    began.set_value();
    released.wait();
  }));
  began.get_future().wait();
  std::atomic<int> done{0};
  CHECK(pool.submit([&done] { ++done; }));
  CHECK(pool.submit([&done] { ++done; }));
  CHECK_FALSE(pool.submit([&done] { done += 100; }));
  release.set_value();
  pool.stop();
  CHECK(done == 2);
  CHECK_FALSE(pool.submit([&done] { ++done; }));
  CHECK(done == 2);
}

}  // namespace rmq
