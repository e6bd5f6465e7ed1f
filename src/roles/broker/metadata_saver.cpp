#include "roles/broker/metadata_saver.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace rmq::roles::broker {
namespace {

constexpr std::chrono::seconds kRetry{1};

bool saved(const std::function<Result<>()>& save) {
  const Result<> result = save();
  if (!result)
    log::error("broker", "cannot save metadata, trying again", kv("why", result.error().message()));
  return result.has_value();
}

}  // namespace

MetadataSaver::MetadataSaver(std::function<Result<>()> save_changed,
                             std::function<Result<>()> save_periodic,
                             std::chrono::milliseconds period)
    : save_changed_(std::move(save_changed)),
      save_periodic_(std::move(save_periodic)),
      period_(period) {}

void MetadataSaver::start() {
  thread_ = std::thread([this] { run(); });
}

void MetadataSaver::wake() {
  MutexLock lock(mutex_);
  wake_ = true;
  changed_.notify_one();
}

void MetadataSaver::stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
  saved(save_changed_);
  saved(save_periodic_);
}

bool MetadataSaver::wait(std::chrono::steady_clock::time_point until) {
  MutexLock lock(mutex_);
  while (!wake_ && !stopping_) {
    if (!changed_.wait_until(mutex_, until)) break;
  }
  wake_ = false;
  return !stopping_;
}

void MetadataSaver::run() {
  auto next_periodic = std::chrono::steady_clock::now() + period_;
  auto wake_at = next_periodic;
  while (wait(wake_at)) {
    const bool ok = saved(save_changed_);
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_periodic) {
      saved(save_periodic_);
      next_periodic = now + period_;
    }
    wake_at = ok ? next_periodic : std::min(next_periodic, now + kRetry);
  }
}

}  // namespace rmq::roles::broker
