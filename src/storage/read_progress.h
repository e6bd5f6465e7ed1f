// ReadProgress: tells how far a start that has to read the log has come.
// Threads: the one that reads.
#pragma once

#include <functional>
#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace rmq::storage {

// Bytes of the log that were read, of so many at most.
using ProgressListener = std::function<void(std::int64_t done, std::int64_t most)>;

class ReadProgress {
 public:
  static constexpr std::int64_t kStepBytes = 256 * 1024 * 1024;

  // `listener` may be empty.
  ReadProgress(ProgressListener listener, PhysicalOffset from, PhysicalOffset to)
      : listener_(std::move(listener)), from_(from), to_(to), next_(from + kStepBytes) {}

  void at(PhysicalOffset position) {
    if (position < next_) return;
    next_ = position + kStepBytes;
    log::info("store", "recovery", kv("at", position.value), kv("to", to_.value));
    if (listener_) listener_(position - from_, to_ - from_);
  }

 private:
  const ProgressListener listener_;
  const PhysicalOffset from_;
  const PhysicalOffset to_;
  PhysicalOffset next_;
};

}  // namespace rmq::storage
