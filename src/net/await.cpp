#include "net/await.h"

#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/log.h"

namespace rmq::net {

void spawn(IoThread& thread, std::string_view name, std::function<Task<>()> start) {
  auto on_end = [name = std::string(name)](std::exception_ptr escaped) {
    if (!escaped) return;
    std::string what = "unknown";
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
    }
    log::error("net", "exception escaped a task", kv("task", name), kv("what", what));
    std::abort();
  };
  asio::co_spawn(thread.context(), std::move(start), std::move(on_end));
}

Task<> sleep_for(std::chrono::milliseconds duration) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(use_result);
}

struct Event::State {
  Mutex mutex;
  bool set RMQ_GUARDED_BY(mutex) = false;
  std::vector<std::shared_ptr<asio::steady_timer>> waiting RMQ_GUARDED_BY(mutex);
};

Event::Event() : state_(std::make_shared<State>()) {}

void Event::set() const {
  std::vector<std::shared_ptr<asio::steady_timer>> waiting;
  {
    MutexLock lock(state_->mutex);
    state_->set = true;
    waiting.swap(state_->waiting);
  }
  // On the waiter's own thread, so it cannot come before the wait has begun; at once when this is
  // it, because between two turns of that thread lie those of its connections.
  for (const auto& timer : waiting) {
    asio::dispatch(timer->get_executor(), [timer] { timer->cancel(); });
  }
}

Task<bool> Event::wait_until(SteadyTime deadline) const {
  const std::shared_ptr<State> state = state_;
  const auto executor = co_await asio::this_coro::executor;
  const auto timer = std::make_shared<asio::steady_timer>(executor, deadline);
  {
    MutexLock lock(state->mutex);
    if (state->set) co_return true;
    state->waiting.push_back(timer);
  }
  co_await timer->async_wait(use_result);
  MutexLock lock(state->mutex);
  std::erase(state->waiting, timer);
  co_return state->set;
}

}  // namespace rmq::net
