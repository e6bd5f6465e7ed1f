#include "roles/broker/delivery/delay_service.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/assert.h"

namespace rmq::roles::broker {
namespace {

using std::chrono::milliseconds;

// Values of sleeps_until_ms_: every arrival wakes, none does.
constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
// The wall clock may be set while the thread sleeps: it looks again so soon.
constexpr milliseconds kSleepMax{1000};
constexpr milliseconds kRetry{1000};

}  // namespace

void DelayService::start() {
  RMQ_ASSERT(!thread_.joinable());
  {
    MutexLock lock(mutex_);
    stopping_ = false;
  }
  sleeps_until_ms_ = kAlways;
  thread_ = std::thread([this] { run(); });
}

void DelayService::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void DelayService::wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void DelayService::on_arrival(std::span<const storage::Arrival> arrivals) {
  for (const storage::Arrival& arrival : arrivals) {
    if (arrival.queue->topic() != storage::kScheduleTopic) continue;
    if (arrival.tag_code < sleeps_until_ms_) return wake();
  }
}

void DelayService::run() {
  for (;;) {
    sleeps_until_ms_ = kAlways;
    const DueMessages::Round round = due_.deliver();
    if (!wait(round)) return;
  }
}

// False when it is time to end.
bool DelayService::wait(const DueMessages::Round& round) {
  const std::int64_t now_ms = clock_.now_ms();
  milliseconds sleep = kSleepMax;
  if (round.failed) {
    sleep = kRetry;
  } else if (round.next_due_ms) {
    sleep = std::clamp(milliseconds(*round.next_due_ms - now_ms), milliseconds(0), kSleepMax);
  }
  const auto until = std::chrono::steady_clock::now() + sleep;
  MutexLock lock(mutex_);
  // Arrivals before this line have set woken_; those after it compare. After a failure none wakes.
  sleeps_until_ms_ = round.failed ? kNever : now_ms + sleep.count();
  if (round.failed) woken_ = false;
  while (!woken_ && !stopping_) {
    if (!changed_.wait_until(mutex_, until)) break;
  }
  woken_ = false;
  return !stopping_;
}

}  // namespace rmq::roles::broker
