#include "client/listener_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <ostream>

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;

TEST_CASE("calls run at the same time, as many as there are threads") {
  ListenerPool pool(3);
  std::atomic<int> running{0};
  std::promise<void> all;
  std::promise<void> go_on;
  const std::shared_future<void> going_on = go_on.get_future().share();
  for (int i = 0; i < 3; ++i) {
    pool.submit([&, going_on] {
      if (++running == 3) all.set_value();
      going_on.wait();
    });
  }
  all.get_future().wait();
  go_on.set_value();
  CHECK(pool.stop(std::chrono::steady_clock::now() + 60s));
}

TEST_CASE("stop waits for what runs, drops what waits, and gives up at its deadline") {
  std::promise<void> go_on;
  const std::shared_future<void> going_on = go_on.get_future().share();
  std::promise<void> begun;
  std::promise<void> ended;
  std::atomic<bool> second{false};
  const auto dropped = std::make_shared<int>();
  {
    ListenerPool pool(1);
    pool.submit([&, going_on] {
      begun.set_value();
      going_on.wait();
      ended.set_value();
    });
    pool.submit([&, dropped] { second = true; });
    begun.get_future().wait();
    CHECK_FALSE(pool.stop(std::chrono::steady_clock::now() + 1ms));
    CHECK(dropped.use_count() == 1);
    pool.submit([&] { second = true; });
  }
  go_on.set_value();
  ended.get_future().wait();
  CHECK_FALSE(second);
}
