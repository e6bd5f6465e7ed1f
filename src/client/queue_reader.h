// QueueReader: reads several queues at the same time, each with a long poll of its own, and hands
// over one message after the other. Threads: the work and all callbacks run on one thread, the one
// given, which must also be the one that awaits it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/pull_consumer.h"
#include "net/io_threads.h"
#include "net/task.h"

namespace rmq::client {

struct QueueRange {
  MessageQueue queue;
  QueueOffset from;
  std::optional<QueueOffset> until;  // the queue is done there; without it: never
};

struct QueueReaderOptions {
  std::chrono::milliseconds hold{
      15'000};  // how long a broker holds a pull that has nothing to give
  std::chrono::milliseconds retry_after{1'000};  // pause after an error that may pass
  SteadyTime deadline = SteadyTime::max();
};

struct QueueReaderCallbacks {
  // False: enough, stop.
  std::function<bool(const ReceivedMessage&)> on_message;
  // An error that may pass (NetErrc, SYSTEM_BUSY ...); the queue is tried again.
  std::function<void(const MessageQueue&, const Error&)> on_trouble;
};

// Returns when all ranges are done, on_message had enough, or the deadline passed: true unless it
// was the deadline. Errors: the first that will not pass (ResponseCode: no permission, no such
// queue, topic gone). `consumer` and `thread` must live until then.
net::Task<Result<bool>> read_queues(PullConsumer& consumer, net::IoThread& thread,
                                    std::vector<QueueRange> ranges, QueueReaderOptions options,
                                    QueueReaderCallbacks callbacks);

}  // namespace rmq::client
