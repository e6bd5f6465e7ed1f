// MessageQueue: one queue of a topic on one broker: what producers send to and consumers read.
#pragma once

#include <compare>
#include <string>

#include "base/units.h"

namespace rmq::client {

struct MessageQueue {
  std::string topic;
  std::string broker_name;
  QueueId queue_id = 0;

  friend auto operator<=>(const MessageQueue&, const MessageQueue&) = default;
};

}  // namespace rmq::client
