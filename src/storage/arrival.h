// Arrival: a message that dispatch has just made visible; listeners get many, in log order.
#pragma once

#include <cstdint>

#include "storage/queue.h"

namespace rmq::storage {

struct Arrival {
  const Queue* queue = nullptr;
  QueueOffset offset;
  std::int64_t tag_code = 0;  // ConsumeQueueEntry::tag_code
};

}  // namespace rmq::storage
