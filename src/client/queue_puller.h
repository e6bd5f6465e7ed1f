// The pulls of one queue, one after the other: from its `next` on, with the broker holding each
// that has nothing to give, as long as the consumer has room. Threads: the consumer's own.
#pragma once

#include "client/assigned_queue.h"
#include "client/group_consumer.h"
#include "net/task.h"

namespace rmq::client {

// Returns when the queue is closed. `consumer` must outlive it.
net::Task<> pull_queue(GroupConsumer& consumer, QueuePtr queue);

}  // namespace rmq::client
