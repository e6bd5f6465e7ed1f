// Live: a setting that is changed while others read it. Threads: any. A reader sees the old or the
// new value; nothing else is ordered by it.
#pragma once

#include <atomic>

namespace rmq {

template <class T>
class Live {
 public:
  constexpr Live(T value) : value_(value) {}
  Live(const Live& other) : value_(T(other)) {}
  Live& operator=(const Live& other) { return *this = T(other); }
  Live& operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  operator T() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

}  // namespace rmq
