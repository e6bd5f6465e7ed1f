// ReadGate: lets readers of the store in, and keeps them out while the log is cut. Who finds it
// closed does not wait: reading is tried again later.
// Threads: any; close() and open() in turn, on one.
#pragma once

#include <atomic>
#include <cstdint>

namespace rmq::storage {

class ReadGate {
 public:
  // Is inside for as long as it lives; false when the gate was closed.
  class Visit {
   public:
    explicit Visit(ReadGate& gate) : gate_(gate), inside_(gate.enter()) {}
    ~Visit() {
      if (inside_) gate_.leave();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return inside_; }

   private:
    ReadGate& gate_;
    const bool inside_;
  };

  // Returns when nobody is inside.
  void close() {
    state_.fetch_add(kClosed);
    for (std::int32_t now = state_.load(); now != kClosed; now = state_.load()) state_.wait(now);
  }
  void open() { state_.fetch_sub(kClosed); }

 private:
  static constexpr std::int32_t kClosed = 1 << 30;

  bool enter() {
    if (state_.fetch_add(1) < kClosed) return true;
    leave();
    return false;
  }
  void leave() {
    if (state_.fetch_sub(1) - 1 == kClosed) state_.notify_all();
  }

  std::atomic<std::int32_t> state_{0};  // how many are inside
};

}  // namespace rmq::storage
