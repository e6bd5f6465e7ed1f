#include "client/queue_puller.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "client/client_errc.h"
#include "client/server_call.h"
#include "protocol/properties.h"

namespace rmq::client {
namespace {

using std::chrono::milliseconds;

// How long a queue without room waits at most before it looks again: room in other queues is not
// told to it.
constexpr milliseconds kLookAgain{50};
constexpr milliseconds kConnectTimeout{5'000};
// Between attempts after errors: doubled from the first to the last.
constexpr milliseconds kRetryFirst{100};
constexpr milliseconds kRetryLast{3'000};

// A call that goes on by itself when nobody waits for it any more.
struct HeldCall {
  net::Event done;
  bool answered = false;
  Result<protocol::Command> answer = fail(net::NetErrc::ConnectionClosed, "given up");
};

std::shared_ptr<HeldCall> begin_call(net::IoThread& home, std::shared_ptr<net::Connection> to,
                                     protocol::Command request, milliseconds timeout) {
  const auto call = std::make_shared<HeldCall>();
  const auto shared = std::make_shared<protocol::Command>(std::move(request));
  net::spawn(home, "held pull", [call, to, shared, timeout]() -> net::Task<> {
    Result<protocol::Command> answer = co_await to->call(std::move(*shared), timeout);
    call->answer = std::move(answer);
    call->answered = true;
    call->done.set();
  });
  return call;
}

net::Task<Result<PullResult>> pull_once(GroupConsumer& consumer, QueuePtr queue) {
  Client& client = consumer.client();
  const MessageQueue& name = queue->queue;
  const protocol::SubscriptionData* found = consumer.subscription(name.topic);
  protocol::SubscriptionData subscription;
  if (found != nullptr) {
    subscription = *found;
  } else {
    subscription.topic = name.topic;  // an assigned queue of a topic without subscription
    subscription.sub_string = "*";
  }
  RMQ_CO_TRY(const SharedRoute route, co_await client.routes().get(name.topic, kConnectTimeout));
  const auto address = route->read_address(name.broker_name, queue->replica);
  if (!address) {
    client.routes().expire(name.topic);
    co_return fail(ClientErrc::BrokerUnknown, name.broker_name);
  }
  RMQ_CO_TRY(std::shared_ptr<net::Connection> connection,
             co_await client.rpc().connection(*address, kConnectTimeout));
  if (queue->closing) co_return fail(net::NetErrc::ConnectionClosed, "given up");

  const GroupOptions& options = consumer.options();
  protocol::Command request = make_pull_request(
      options.group, name, queue->next, options.pull_messages_max, subscription, options.hold);
  const auto call = begin_call(consumer.home(), connection, std::move(request),
                               options.hold + options.answer_timeout);
  queue->held_pull = call->done;
  (void)co_await call->done.wait_until(SteadyTime::max());
  if (!call->answered || !call->answer) {
    if (call->answered) client.routes().expire(name.topic);
    // Neither messages nor the end of the long poll came: what is sent on it may be lost as well.
    if (call->answer.error().code == net::NetErrc::TimedOut) connection->close();
    co_return fail(error_at(*address, call->answer.error()));
  }
  Result<PullResult> pulled = parse_pull_answer(*call->answer, name, subscription, *address);
  if (!pulled) client.routes().expire(name.topic);
  co_return pulled;
}

// What comes from a retry topic is shown under the topic that it was sent to.
MessagePtr as_sent(ReceivedMessage message) {
  for (const auto& [name, value] : message.properties) {
    if (name == protocol::property::kRetryTopic) message.queue.topic = value;
  }
  return std::make_shared<ReceivedMessage>(std::move(message));
}

void take(GroupConsumer& consumer, const QueuePtr& queue, PullResult pulled) {
  queue->replica = pulled.suggested_broker_id;
  queue->last_pull_ms = consumer.client().clock().now_ms();
  if (pulled.status == PullStatus::OffsetMoved) {
    return consumer.restart(queue->queue, pulled.next, GroupConsumer::Commit::Yes);
  }
  queue->next = pulled.next;
  if (pulled.messages.empty()) {
    // Nothing is wanted of what lies before.
    const bool all_done = queue->messages.count() == 0;
    if (all_done && consumer.options().commits_what_it_skips)
      consumer.offsets().advance(queue->queue, pulled.next);
    return;
  }
  std::vector<MessagePtr> messages;
  for (ReceivedMessage& message : pulled.messages) messages.push_back(as_sent(std::move(message)));
  consumer.put(queue, messages);
}

}  // namespace

net::Task<> pull_queue(GroupConsumer& consumer, QueuePtr queue) {
  milliseconds pause = kRetryFirst;
  while (!queue->closing) {
    const bool lacks_lock = consumer.needs_locks() && !queue->locked;
    if (queue->paused || lacks_lock || consumer.is_full(*queue)) {
      const net::Event changed = queue->changed.next();
      (void)co_await changed.wait_until(std::chrono::steady_clock::now() + kLookAgain);
      continue;
    }
    Result<PullResult> pulled = co_await pull_once(consumer, queue);
    if (queue->closing) break;
    if (pulled) {
      pause = kRetryFirst;
      const bool moved = pulled->status == PullStatus::OffsetMoved;
      if (moved && queue->restarted) {
        // Twice in a row: not as fast as the broker can say it.
        const net::Event changed = queue->changed.next();
        (void)co_await changed.wait_until(std::chrono::steady_clock::now() + kRetryLast);
        if (queue->closing) break;
      }
      queue->restarted = false;
      take(consumer, queue, std::move(*pulled));
      if (moved) break;  // its successor pulls
      if (queue->messages.has_untaken()) consumer.handler().on_messages(queue);
      continue;
    }
    queue->replica = protocol::kMasterId;
    log::debug("client", "pull failed, trying again", kv("topic", queue->queue.topic),
               kv("queue", queue->queue.queue_id), kv("why", pulled.error().message()));
    const net::Event changed = queue->changed.next();
    (void)co_await changed.wait_until(std::chrono::steady_clock::now() + pause);
    pause = std::min(2 * pause, kRetryLast);
  }
}

}  // namespace rmq::client
