// What becomes of a consumer group's committed offset when logs of replicas meet. `end` is the end
// of the queue that the offset is in. An offset past the end would make consumers skip, in silence,
// the records that are written there next.
// Threads: pure.
#pragma once

#include <algorithm>

#include "base/units.h"

namespace rmq::replication {

// The queue was cut to `end`.
inline QueueOffset cut_offset(QueueOffset committed, QueueOffset end) {
  return std::min(committed, end);
}

// Another replica, or a consumer, knows `other`: progress is never taken back, and never put where
// this log has nothing yet.
inline QueueOffset merge_offset(QueueOffset committed, QueueOffset other, QueueOffset end) {
  return cut_offset(std::max(committed, other), end);
}

}  // namespace rmq::replication
