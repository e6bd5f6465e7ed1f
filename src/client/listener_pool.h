// ListenerPool: the threads on which a consumer calls its application's listener, which may take as
// long as it likes. Calls begin in the order they came. What waits is bounded by what consumers
// cache, not here. Threads: any; stop() not on one of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace rmq::client {

class ListenerPool {
 public:
  explicit ListenerPool(std::size_t threads);
  // stop(), and waits for no one.
  ~ListenerPool();
  ListenerPool(const ListenerPool&) = delete;
  ListenerPool& operator=(const ListenerPool&) = delete;

  std::size_t threads() const { return threads_.size(); }
  // After stop() the call is destroyed without having run.
  void submit(std::function<void()> call);
  // Begins no more calls. False when some were still running at `deadline`: their threads are left
  // to themselves, and end when the listener returns.
  bool stop(SteadyTime deadline);

 private:
  struct State;
  static void run(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::vector<std::thread> threads_;
};

}  // namespace rmq::client
