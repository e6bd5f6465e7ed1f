#include "roles/broker/metadata_saver.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace rmq::roles::broker {
namespace {

constexpr std::chrono::seconds kRetry{1};

}  // namespace

MetadataSaver::MetadataSaver(std::vector<Save> changed, std::vector<Save> periodic,
                             std::chrono::milliseconds period)
    : period_(period) {
  for (Save& save : changed) changed_tables_.push_back({std::move(save), {}});
  for (Save& save : periodic) periodic_tables_.push_back({std::move(save), {}});
}

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
  save(changed_tables_);
  save(periodic_tables_);
}

// Each of them, whatever becomes of the others. False when one failed.
bool MetadataSaver::save(Tables& tables) {
  bool all = true;
  for (Table& table : tables) {
    const Result<> saved = table.save();
    all = all && saved.has_value();
    std::string failure = saved ? "" : saved.error().message();
    if (failure == table.failure) continue;
    if (saved) {
      log::info("broker", "metadata is saved again", kv("after", table.failure));
    } else {
      log::error("broker", "cannot save metadata, trying again", kv("why", failure));
    }
    table.failure = std::move(failure);
  }
  return all;
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
    const bool ok = save(changed_tables_);
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_periodic) {
      save(periodic_tables_);
      next_periodic = now + period_;
    }
    wake_at = ok ? next_periodic : std::min(next_periodic, now + kRetry);
  }
}

}  // namespace rmq::roles::broker
