// Clock: wall time for timestamps in messages, steady time for deadlines. Tests use ManualClock.
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace rmq {

using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the Unix epoch; may go backwards when somebody sets the clock.
  virtual std::int64_t now_ms() const = 0;
  // Never goes backwards.
  virtual SteadyTime steady_now() const = 0;

  static Clock& system();
};

// Stands still until told otherwise.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ms = 1'700'000'000'000) : wall_ms_(start_ms) {}
  std::int64_t now_ms() const override { return wall_ms_.load(); }
  SteadyTime steady_now() const override {
    return SteadyTime{std::chrono::nanoseconds(steady_ns_.load())};
  }
  void advance(std::chrono::milliseconds by) {
    wall_ms_ += by.count();
    steady_ns_ += std::chrono::nanoseconds(by).count();
  }
  // Moves the wall clock only, as an administrator would; may go backwards.
  void set_wall_ms(std::int64_t ms) { wall_ms_ = ms; }

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> steady_ns_{0};
};

}  // namespace rmq
