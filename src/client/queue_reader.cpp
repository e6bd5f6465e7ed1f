#include "client/queue_reader.h"

#include <algorithm>

#include "client/retry.h"
#include "client/server_call.h"
#include "net/await.h"

namespace rmq::client {
namespace {

// What the queues' coroutines share. Touched on their one thread only, but for the event.
struct Reading {
  Reading(PullConsumer& c, QueueReaderOptions o, QueueReaderCallbacks b, std::size_t queues)
      : consumer(c), options(o), callbacks(std::move(b)), running(queues) {}

  void stop() {
    stopping = true;
    changed.set();
  }

  PullConsumer& consumer;
  const QueueReaderOptions options;
  const QueueReaderCallbacks callbacks;
  std::size_t running;
  bool stopping = false;
  std::optional<Error> failure;
  net::Event changed;  // stopping, or nothing is running any more
  net::Event ended;    // nothing is running any more
};

bool is_done(const QueueRange& range) { return range.until && range.from >= *range.until; }

// Hands over what one pull brought and moves the range on.
void take(Reading& reading, QueueRange& range, const PullResult& pulled) {
  for (const ReceivedMessage& message : pulled.messages) {
    if (range.until && message.offset >= *range.until) break;
    if (reading.callbacks.on_message(message)) continue;
    reading.stop();
    return;
  }
  range.from = pulled.next;
}

net::Task<> read_queue(std::shared_ptr<Reading> reading, QueueRange range) {
  while (!reading->stopping && !is_done(range)) {
    const auto hold = std::min(reading->options.hold, time_left(reading->options.deadline));
    Result<PullResult> pulled = co_await reading->consumer.pull(range.queue, range.from, hold);
    if (reading->stopping) break;
    if (pulled) {
      take(*reading, range, *pulled);
      continue;
    }
    if (!may_pass(pulled.error())) {
      if (!reading->failure) reading->failure = std::move(pulled.error());
      reading->stop();
      break;
    }
    reading->callbacks.on_trouble(range.queue, pulled.error());
    const auto pause = std::min(reading->options.retry_after, time_left(reading->options.deadline));
    co_await net::sleep_for(pause);
  }
  if (--reading->running == 0) {
    reading->changed.set();
    reading->ended.set();
  }
}

}  // namespace

net::Task<Result<bool>> read_queues(PullConsumer& consumer, net::IoThread& thread,
                                    std::vector<QueueRange> ranges, QueueReaderOptions options,
                                    QueueReaderCallbacks callbacks) {
  RMQ_ASSERT(thread.is_current());
  if (ranges.empty()) co_return true;
  const auto reading =
      std::make_shared<Reading>(consumer, options, std::move(callbacks), ranges.size());
  for (QueueRange& range : ranges) {
    net::spawn(thread, "read_queue",
               [reading, range = std::move(range)] { return read_queue(reading, range); });
  }
  const bool in_time = co_await reading->changed.wait_until(options.deadline);
  if (reading->running > 0) {
    // Held pulls end only with their connections. One that was still connecting ends by its own
    // time-out.
    reading->stopping = true;
    co_await consumer.disconnect();
    (void)co_await reading->ended.wait_until(SteadyTime::max());
  }
  if (reading->failure) co_return fail(std::move(*reading->failure));
  co_return in_time;
}

}  // namespace rmq::client
