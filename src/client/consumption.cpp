#include "client/consumption.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "client/client_errc.h"
#include "client/group_calls.h"
#include "client/running_info.h"
#include "protocol/client.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

constexpr std::int32_t kReconsumeTimesMax = 16;
constexpr std::int32_t kToDeadLetters = -1;

// What a listener's call came to.
struct Outcome {
  std::optional<Consumed> answer;  // nothing: it was not called, or threw
  std::string thrown;
};

Outcome call_listener(const Listener& listener, const MessageBatch& batch,
                      ConsumeContext& context) {
  Outcome outcome;
  try {
    outcome.answer = listener(batch, context);
  } catch (const std::exception& e) {
    outcome.thrown = e.what();
  } catch (...) {
    outcome.thrown = "unknown";
  }
  if (!outcome.answer) {
    log::warn("client", "exception from a listener: its messages come again",
              kv("topic", context.queue.topic), kv("what", outcome.thrown));
  }
  return outcome;
}

net::Response refusal_of(std::string remark) {
  net::Response response;
  response.code = static_cast<std::int32_t>(ResponseCode::SystemError);
  response.remark = std::move(remark);
  return response;
}

net::Response respond_with(const std::string& body) {
  net::Response response;
  response.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  return response;
}

}  // namespace

struct Consumption::Call {
  QueuePtr queue;
  std::vector<MessagePtr> messages;
  ConsumeContext context;
  Consumed answer = Consumed::Later;
  bool called = false;
};

// Through which the threads of listeners hand their answers back to io threads, as long as those
// are there.
struct Consumption::Gate {
  Mutex mutex;
  bool open RMQ_GUARDED_BY(mutex) = true;

  void pass(const std::function<void()>& answer) {
    MutexLock lock(mutex);
    if (open) answer();
  }
};

Consumption::Consumption(ConsumptionOptions options, Listener listener)
    : options_(std::move(options)),
      listener_(std::make_shared<const Listener>(std::move(listener))),
      gate_(std::make_shared<Gate>()),
      pool_(options_.threads) {}

bool Consumption::stop(SteadyTime deadline) {
  const bool ended = pool_.stop(deadline);
  MutexLock lock(gate_->mutex);
  gate_->open = false;
  return ended;
}

void Consumption::on_messages(const QueuePtr& queue) {
  while (group_->may_consume(*queue)) {
    if (options_.orderly && queue->running > 0) return;
    std::vector<MessagePtr> messages = queue->messages.take(options_.batch_max);
    if (messages.empty()) return;
    begin(queue, std::move(messages));
  }
}

void Consumption::begin(const QueuePtr& queue, std::vector<MessagePtr> messages) {
  const auto call = std::make_shared<Call>();
  call->queue = queue;
  call->messages = std::move(messages);
  call->context.queue = queue->queue;
  ++queue->running;
  queue->last_consume_ms = group_->client().clock().now_ms();
  // The owner keeps this object for calls that outlast the consumer's shutdown.
  pool_.submit([this, call, kept = group_->owner(), listener = listener_, gate = gate_,
                &home = group_->home()] {
    if (!call->queue->closing) {
      const MessageBatch batch(call->messages.begin(), call->messages.end());
      const Outcome outcome = call_listener(*listener, batch, call->context);
      call->called = true;
      call->answer = outcome.answer.value_or(Consumed::Later);
    }
    gate->pass([&] { home.post([this, call, kept] { finish(call); }); });
  });
}

void Consumption::finish(const std::shared_ptr<Call>& call) {
  const QueuePtr& queue = call->queue;
  if (queue->given_up || !call->called) return end(queue);
  if (call->answer == Consumed::Later && !group_->broadcasts()) {
    return group_->tasks().spawn(group_->home(), "consume later", [this, call] {
      return options_.orderly ? suspend(call) : send_back_all(call);
    });
  }
  if (call->answer == Consumed::Later) {
    log::warn("client", "a broadcasting consumer's message failed and is dropped",
              kv("topic", queue->queue.topic), kv("offset", call->messages[0]->offset.value));
  }
  group_->done(queue, call->messages);
  end(queue);
}

void Consumption::end(const QueuePtr& queue) {
  --queue->running;
  queue->changed.notify();
  if (options_.orderly) on_messages(queue);
}

net::Task<bool> Consumption::send_back_one(const Call& call, MessagePtr message,
                                           std::int32_t delay_level) {
  Client& client = group_->client();
  const MessageQueue& queue = call.queue->queue;
  const Result<SharedRoute> route = co_await client.routes().get(queue.topic, kGroupCallTimeout);
  const auto address = route ? (*route)->master_address(queue.broker_name) : std::nullopt;
  Error failure{ClientErrc::BrokerUnknown, queue.broker_name};
  if (address) {
    SendBack how;
    how.group = group_->options().group;
    how.delay_level = delay_level;
    how.reconsume_times_max = options_.reconsume_times_max.value_or(kReconsumeTimesMax);
    const Result<> sent = co_await send_back(client.rpc(), *address, how, message->physical_offset,
                                             message->message_id, message->queue.topic);
    if (sent) co_return true;
    failure = sent.error();
  }
  log::warn("client", "message not sent back, it is consumed again here", kv("topic", queue.topic),
            kv("offset", message->offset.value), kv("why", failure.message()));
  co_return false;
}

net::Task<> Consumption::send_back_all(std::shared_ptr<Call> call) {
  std::vector<MessagePtr> kept;
  for (const MessagePtr& message : call->messages) {
    const bool sent = co_await send_back_one(*call, message, call->context.delay_level);
    std::vector<MessagePtr> one{message};
    if (sent) {
      group_->done(call->queue, one);
    } else {
      ++message->reconsume_times;
      kept.push_back(message);
    }
  }
  if (!kept.empty()) {
    const bool going_on = co_await group_->tasks().pause(options_.again_here);
    if (going_on) call->queue->messages.put_back(kept);
  }
  end(call->queue);
  on_messages(call->queue);
}

net::Task<> Consumption::suspend(std::shared_ptr<Call> call) {
  std::vector<MessagePtr> kept;
  std::vector<MessagePtr> dead;
  for (const MessagePtr& message : call->messages) {
    const bool at_its_end =
        options_.reconsume_times_max && message->reconsume_times >= *options_.reconsume_times_max;
    bool sent = false;
    if (at_its_end) {
      const bool taken = co_await send_back_one(*call, message, kToDeadLetters);
      sent = taken;
    }
    if (!sent) ++message->reconsume_times;
    (sent ? dead : kept).push_back(message);
  }
  group_->done(call->queue, dead);
  if (!kept.empty()) {
    const bool going_on = co_await group_->tasks().pause(call->context.suspend);
    if (going_on) call->queue->messages.put_back(kept);
  }
  end(call->queue);
}

void Consumption::on_server_request(protocol::Command request, net::Responder responder) {
  switch (static_cast<RequestCode>(request.code)) {
    case RequestCode::GetConsumerRunningInfo:
      return responder.answer(respond_with(encode_running_info(*group_, options_.threads)));
    case RequestCode::ConsumeMessageDirectly:
      return consume_directly(request, std::move(responder));
    default:
      return responder.answer(refusal_of("not for a push consumer"));
  }
}

void Consumption::consume_directly(const protocol::Command& request, net::Responder responder) {
  const protocol::CommandView view = request.view();
  const auto header = protocol::decode_fields<protocol::ConsumeMessageDirectlyRequest>(view);
  if (!header) return responder.answer(refusal_of(header.error().message()));
  Result<std::vector<ReceivedMessage>> messages =
      decode_messages(request.body, std::string(header->broker_name));
  if (!messages || messages->empty()) {
    return responder.answer(refusal_of("the request has no message that can be read"));
  }
  const auto message = std::make_shared<const ReceivedMessage>(std::move(messages->front()));
  pool_.submit([message, listener = listener_, orderly = options_.orderly, gate = gate_,
                responder = std::move(responder)] {
    ConsumeContext context;
    context.queue = message->queue;
    const MessageBatch batch{message};
    const SteadyTime begin = std::chrono::steady_clock::now();
    const Outcome outcome = call_listener(*listener, batch, context);
    DirectResult result;
    result.orderly = orderly;
    result.spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    result.remark = outcome.thrown;
    result.result = !outcome.answer                     ? "CR_THROW_EXCEPTION"
                    : *outcome.answer == Consumed::Done ? "CR_SUCCESS"
                                                        : "CR_LATER";
    gate->pass([&] { responder.answer(respond_with(encode_direct_result(result))); });
  });
}

}  // namespace rmq::client
