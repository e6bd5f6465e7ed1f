// TaskGroup: the background work of one object: it is told to stop, and waited for. Threads: any; a
// copy is the same group. Lifetime: a task may outlive the group's owner only if it touches nothing
// of it after its last wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "net/io_threads.h"
#include "net/task.h"

namespace rmq::client {

class TaskGroup {
 public:
  TaskGroup();

  // Runs start() on `thread` until it ends, also after stop().
  void spawn(net::IoThread& thread, std::string_view name,
             std::function<net::Task<>()> start) const;

  // Wakes all that pause.
  void stop() const;
  bool stopping() const;
  // Sleeps. False when the group stops, or has stopped.
  net::Task<bool> pause(std::chrono::milliseconds duration) const;

  // Returns when no task is running; false when `deadline` passed first.
  net::Task<bool> ended(SteadyTime deadline) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rmq::client
