#include "client/task_group.h"

#include <atomic>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/await.h"

namespace rmq::client {

struct TaskGroup::State {
  net::Event stopped;
  std::atomic<bool> stopping{false};
  Mutex mutex;
  std::size_t running RMQ_GUARDED_BY(mutex) = 0;
  std::vector<net::Event> waiting RMQ_GUARDED_BY(mutex);

  void end_one() {
    std::vector<net::Event> woken;
    {
      MutexLock lock(mutex);
      if (--running == 0) woken.swap(waiting);
    }
    for (const net::Event& event : woken) event.set();
  }
};

TaskGroup::TaskGroup() : state_(std::make_shared<State>()) {}

void TaskGroup::spawn(net::IoThread& thread, std::string_view name,
                      std::function<net::Task<>()> start) const {
  {
    MutexLock lock(state_->mutex);
    ++state_->running;
  }
  std::function<net::Task<>()> run = [state = state_, start = std::move(start)]() -> net::Task<> {
    co_await start();
    state->end_one();
  };
  net::spawn(thread, name, std::move(run));
}

void TaskGroup::stop() const {
  state_->stopping.store(true, std::memory_order_release);
  state_->stopped.set();
}

bool TaskGroup::stopping() const { return state_->stopping.load(std::memory_order_acquire); }

net::Task<bool> TaskGroup::pause(std::chrono::milliseconds duration) const {
  const std::shared_ptr<State> state = state_;
  const SteadyTime deadline = std::chrono::steady_clock::now() + duration;
  const bool stopped = co_await state->stopped.wait_until(deadline);
  co_return !stopped;
}

net::Task<bool> TaskGroup::ended(SteadyTime deadline) const {
  const std::shared_ptr<State> state = state_;
  net::Event event;
  {
    MutexLock lock(state->mutex);
    if (state->running == 0) co_return true;
    state->waiting.push_back(event);
  }
  co_return co_await event.wait_until(deadline);
}

}  // namespace rmq::client
