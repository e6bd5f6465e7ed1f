// The rule by which old commit log files go and writes are refused: RocketMQ's watermarks
// (DefaultMessageStore.CleanCommitLogService), each of which counts only while less than an ample
// number of bytes is free. Pure.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/file_system.h"
#include "storage/store_config.h"

namespace rmq::storage {

using HoursOfDay = std::bitset<24>;

// "04;16". Nothing when that is not what `text` is.
std::optional<HoursOfDay> parse_hours(std::string_view text);

// What the disk and the hour allow.
struct RetentionRule {
  bool delete_expired = false;
  bool delete_oldest = false;  // at whatever age
  bool refuse_writes = false;

  friend bool operator==(const RetentionRule&, const RetentionRule&) = default;
  // What either allows.
  friend RetentionRule operator|(const RetentionRule& a, const RetentionRule& b) {
    return {a.delete_expired || b.delete_expired, a.delete_oldest || b.delete_oldest,
            a.refuse_writes || b.refuse_writes};
  }
};
// `hour`: of the day, local time. `asked`: an administrator wants expired files to go now.
RetentionRule retention_rule(const StoreConfig& config, const DiskSpace& space, int hour,
                             bool asked);

// Whether one of several directories gets no new segments.
bool is_full_for_segments(const StoreConfig& config, const DiskSpace& space);

}  // namespace rmq::storage
