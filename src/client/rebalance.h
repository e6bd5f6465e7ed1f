// Which of a topic's queues each member of a consumer group reads. Every member computes it for
// itself from the same lists, so it must come out as in RocketMQ's
// AllocateMessageQueueAveragely.java: members in the order of their ids, queues in the order of
// topic, broker and number; neighbours stay together, and the first members get one more when it
// does not come out even. Threads: pure.
#pragma once

#include <string>
#include <vector>

#include "client/message_queue.h"

namespace rmq::client {

// The share of `own`; nothing when it is not among `client_ids`, or when there are not enough
// queues. Both lists in any order, without duplicates.
std::vector<MessageQueue> allocate_averagely(std::vector<MessageQueue> queues,
                                             std::vector<std::string> client_ids,
                                             const std::string& own);

}  // namespace rmq::client
