// SendTarget: a queue that may be sent to, and what a send must know of its topic.
// Threads: values.
#pragma once

#include <cstdint>

#include "storage/queue.h"

namespace rmq::roles::broker {

struct SendTopic {
  std::int32_t read_queue_nums = 0;
  std::int32_t write_queue_nums = 0;
  bool multi_tags = false;
};

struct SendTarget {
  storage::Queue* queue = nullptr;
  SendTopic topic;
};

}  // namespace rmq::roles::broker
