#include "client/listener_pool.h"

#include <deque>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"

namespace rmq::client {

struct ListenerPool::State {
  Mutex mutex;
  Condition changed;
  std::deque<std::function<void()>> waiting RMQ_GUARDED_BY(mutex);
  bool stopping RMQ_GUARDED_BY(mutex) = false;
  std::size_t running RMQ_GUARDED_BY(mutex) = 0;  // threads that have not ended
};

ListenerPool::ListenerPool(std::size_t threads) : state_(std::make_shared<State>()) {
  {
    MutexLock lock(state_->mutex);
    state_->running = threads;
  }
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([state = state_] { run(state); });
  }
}

ListenerPool::~ListenerPool() { (void)stop(std::chrono::steady_clock::now()); }

void ListenerPool::submit(std::function<void()> call) {
  MutexLock lock(state_->mutex);
  if (state_->stopping) return;
  state_->waiting.push_back(std::move(call));
  state_->changed.notify_one();
}

bool ListenerPool::stop(SteadyTime deadline) {
  std::deque<std::function<void()>> dropped;
  bool ended = false;
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->waiting);
    state_->changed.notify_all();
    while (state_->running > 0 && state_->changed.wait_until(state_->mutex, deadline)) {
    }
    ended = state_->running == 0;
  }
  for (std::thread& thread : threads_) {
    if (ended) {
      thread.join();
    } else {
      thread.detach();
    }
  }
  threads_.clear();
  return ended;
}

void ListenerPool::run(const std::shared_ptr<State>& state) {
  for (;;) {
    std::function<void()> call;
    {
      MutexLock lock(state->mutex);
      while (state->waiting.empty() && !state->stopping) state->changed.wait(state->mutex);
      if (state->stopping) break;
      call = std::move(state->waiting.front());
      state->waiting.pop_front();
    }
    try {
      call();
    } catch (const std::exception& e) {
      log::error("client", "exception from a callback", kv("what", e.what()));
    } catch (...) {
      log::error("client", "exception from a callback", kv("what", "unknown"));
    }
  }
  MutexLock lock(state->mutex);
  --state->running;
  state->changed.notify_all();
}

}  // namespace rmq::client
