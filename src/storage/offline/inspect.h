// inspect(): what lies in a store directory, without a lock and without reading more than the
// places that say it, so that it may be asked of a running server's store.
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

struct QueueSummary {
  std::string topic;
  QueueId queue_id = 0;
  std::int64_t min = 0;  // the first message that the log still has
  std::int64_t max = 0;  // one past the last entry
  std::size_t files = 0;
};

struct Inspection {
  explicit Inspection(Survey found) : survey(std::move(found)) {}

  Survey survey;
  PhysicalOffset log_begin;
  PhysicalOffset log_end;  // behind the last sound record that follows the others
  std::int64_t first_timestamp_ms = 0;
  std::int64_t last_timestamp_ms = 0;
  std::vector<QueueSummary> queues;
};

// Errors: as survey().
Result<Inspection> inspect(FileSystem& files, const StorePlace& place);

}  // namespace rmq::storage::offline
