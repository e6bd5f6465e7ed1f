// DelayLevels: the delays of levels 1..n of a scheduled message, from the setting
// messageDelayLevel: "1s 5s 10s ...", units s, m, h and d (ScheduleMessageService.parseDelayLevel).
// Threads: any; a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rmq::storage {

// Where scheduled messages wait: level n in queue n - 1.
inline constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";

class DelayLevels {
 public:
  // Error: invalid_argument, naming what cannot be read; for no levels, too.
  static Result<DelayLevels> parse(std::string_view text);

  std::int32_t count() const { return static_cast<std::int32_t>(delays_.size()); }
  // For a level > 0. One above the highest is the highest, as in Java. There is at least one.
  std::int32_t clamp(std::int64_t level) const {
    return static_cast<std::int32_t>(level < count() ? level : count());
  }
  std::chrono::milliseconds delay(std::int32_t level) const {
    return delays_[static_cast<std::size_t>(level - 1)];
  }

 private:
  std::vector<std::chrono::milliseconds> delays_;
};

}  // namespace rmq::storage
