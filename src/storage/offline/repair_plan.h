// RepairPlan: what a repair would do about what verify() found, worked out before anything is
// changed. Damaged bytes of the log become placeholders (placeholder.h), exactly as long as they,
// so that everything around them stays where it is; what can be made from the log is made again.
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "storage/offline/verify.h"

namespace rmq::storage::offline {

struct PlannedRecord {
  enum class Kind {
    Placeholder,  // of a message that is lost
    Filler,       // of nobody's message
    Blank,        // up to the end of the segment
  };
  Kind kind = Kind::Filler;
  PhysicalOffset at;
  std::int64_t size = 0;  // bytes
  std::string topic;
  QueueId queue_id = 0;
  QueueOffset number;
  std::int64_t timestamp_ms = 0;
};

struct RepairPlan {
  std::vector<DamagedRange> ranges;                     // that get the records
  std::vector<PlannedRecord> records;                   // in log order
  std::vector<std::pair<std::string, QueueId>> queues;  // made again from the log
  std::vector<std::string> index_files;                 // removed, the newest first, and made again
  std::vector<std::string> left;                        // what stays as it is, and why
  bool torn_tail = false;                               // which the next start cuts

  bool empty() const { return ranges.empty() && queues.empty() && index_files.empty(); }
  std::int64_t placeholders() const;
};

RepairPlan plan_repair(const VerifyReport& report);

}  // namespace rmq::storage::offline
