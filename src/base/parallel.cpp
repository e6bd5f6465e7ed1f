#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace rmq {
namespace {

constexpr std::size_t kPerThreadMin = 64;
constexpr std::size_t kThreadsMax = 8;  // more than processors: they wait for the disk

class Shared {
 public:
  Shared(std::size_t count, const std::function<Result<>(std::size_t)>& work)
      : count_(count), work_(work) {}

  void run() {
    for (;;) {
      const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= count_) return;
      Result<> done = work_(index);
      if (!done) return end_with(std::move(done));
    }
  }
  Result<> outcome() {
    MutexLock lock(mutex_);
    return std::move(outcome_);
  }

 private:
  void end_with(Result<> failed) {
    next_ = count_;
    MutexLock lock(mutex_);
    if (outcome_) outcome_ = std::move(failed);
  }

  const std::size_t count_;
  const std::function<Result<>(std::size_t)>& work_;
  std::atomic<std::size_t> next_ = 0;
  Mutex mutex_;
  Result<> outcome_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace

Result<> for_each_parallel(std::size_t count, const std::function<Result<>(std::size_t)>& work) {
  Shared shared(count, work);
  std::vector<std::thread> others;
  const std::size_t threads = std::min(kThreadsMax, count / kPerThreadMin);
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back([&shared] { shared.run(); });
  shared.run();
  for (std::thread& other : others) other.join();
  return shared.outcome();
}

}  // namespace rmq
