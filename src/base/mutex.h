// Mutex, MutexLock and Condition with clang's thread-safety annotations: RMQ_GUARDED_BY(mutex_)
// beside a member, and the clang preset proves that it is only touched under the lock.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define RMQ_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define RMQ_THREAD_ANNOTATION(x)
#endif
#define RMQ_CAPABILITY RMQ_THREAD_ANNOTATION(capability("mutex"))
#define RMQ_GUARDED_BY(x) RMQ_THREAD_ANNOTATION(guarded_by(x))
#define RMQ_REQUIRES(...) RMQ_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define RMQ_EXCLUDES(...) RMQ_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define RMQ_ACQUIRE(...) RMQ_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RMQ_RELEASE(...) RMQ_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define RMQ_SCOPED_CAPABILITY RMQ_THREAD_ANNOTATION(scoped_lockable)
#define RMQ_NO_THREAD_SAFETY_ANALYSIS RMQ_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace rmq {

class RMQ_CAPABILITY Mutex {
 public:
  void lock() RMQ_ACQUIRE() { mutex_.lock(); }
  void unlock() RMQ_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class RMQ_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) RMQ_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RMQ_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class Condition {
 public:
  // The caller holds `mutex`; spurious wake-ups happen: wait in a loop.
  void wait(Mutex& mutex) RMQ_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time passed first.
  template <class TimePoint>
  bool wait_until(Mutex& mutex, TimePoint deadline) RMQ_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace rmq
