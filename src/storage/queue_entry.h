// ConsumeQueueEntry: what a queue keeps of one message; the format is in consume_queue.h.
// Threads: a value.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace rmq::storage {

struct ConsumeQueueEntry {
  PhysicalOffset physical;
  std::int32_t size = 0;  // bytes of the record
  // The hash of the tag; in SCHEDULE_TOPIC_XXXX the time when the message is due, Unix ms.
  std::int64_t tag_code = 0;

  friend bool operator==(const ConsumeQueueEntry&, const ConsumeQueueEntry&) = default;
};

}  // namespace rmq::storage
