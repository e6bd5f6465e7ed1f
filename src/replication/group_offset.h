// What becomes of a consumer group's committed offset when logs of replicas meet. An offset past
// the end of its queue would make consumers skip, in silence, the records that are written there
// next; so would one that comes from a log with other records at the same places. Threads: pure.
#pragma once

#include <algorithm>

#include "base/units.h"

namespace rmq::replication {

// The queue was cut to `end`.
inline QueueOffset cut_offset(QueueOffset committed, QueueOffset end) {
  return std::min(committed, end);
}

// Another replica, or a consumer, knows `other`: progress is never taken back, and never put beyond
// `end`: where the queue ends, or, on a slave, where it stops being known to be the master's
// (Follower::shared_end).
inline QueueOffset merge_offset(QueueOffset committed, QueueOffset other, QueueOffset end) {
  return cut_offset(std::max(committed, other), end);
}

}  // namespace rmq::replication
