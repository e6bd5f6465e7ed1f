#include "client/producer.h"

#include <algorithm>
#include <random>
#include <set>

#include "client/body_codec.h"
#include "client/client_errc.h"
#include "client/retry.h"
#include "client/server_call.h"
#include "protocol/message_record.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

std::optional<SendStatus> stored_status(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::Success:
      return SendStatus::Ok;
    case ResponseCode::FlushDiskTimeout:
      return SendStatus::FlushDiskTimeout;
    case ResponseCode::FlushSlaveTimeout:
      return SendStatus::FlushSlaveTimeout;
    case ResponseCode::SlaveNotAvailable:
      return SendStatus::SlaveNotAvailable;
    default:
      return std::nullopt;
  }
}

std::size_t count_brokers(const std::vector<MessageQueue>& queues) {
  std::set<std::string_view> names;
  for (const MessageQueue& queue : queues) names.insert(queue.broker_name);
  return names.size();
}

}  // namespace

const char* send_status_name(SendStatus status) {
  switch (status) {
    case SendStatus::Ok:
      return "SEND_OK";
    case SendStatus::FlushDiskTimeout:
      return "FLUSH_DISK_TIMEOUT";
    case SendStatus::FlushSlaveTimeout:
      return "FLUSH_SLAVE_TIMEOUT";
    case SendStatus::SlaveNotAvailable:
      return "SLAVE_NOT_AVAILABLE";
  }
  return "UNKNOWN";
}

Producer::Producer(Client& client, ProducerOptions options)
    : client_(client),
      options_(std::move(options)),
      queues_(std::random_device{}()),
      retry_queues_(std::random_device{}()) {}

Result<Producer::Prepared> Producer::prepare(Message message) {
  if (message.body.size() > options_.body_bytes_max) {
    return fail(ClientErrc::MessageInvalid, "its body has " + std::to_string(message.body.size()) +
                                                " bytes, more than " +
                                                std::to_string(options_.body_bytes_max));
  }
  Prepared prepared;
  prepared.message_id = client_.next_message_id().view();
  RMQ_TRY(prepared.properties, encode_message_properties(message, prepared.message_id));
  prepared.topic = std::move(message.topic);
  prepared.flag = message.flag;
  prepared.born_timestamp_ms = client_.clock().now_ms();
  prepared.body = std::move(message.body);
  if (prepared.body.size() >= options_.compress_from_bytes) {
    if (auto compressed = compress_zlib(prepared.body)) {
      prepared.body = std::move(*compressed);
      prepared.sys_flag = protocol::kSysFlagCompressed | kCompressionZlib;
    }
  }
  return prepared;
}

protocol::Command Producer::make_send_request(const Prepared& message,
                                              const MessageQueue& queue) const {
  protocol::SendMessageRequest header;
  header.producer_group = options_.group;
  header.topic = message.topic;
  header.default_topic = kAutoCreateTopic;
  header.default_topic_queue_nums = options_.new_topic_queues;
  header.queue_id = queue.queue_id;
  header.sys_flag = message.sys_flag;
  header.born_timestamp = message.born_timestamp_ms;
  header.flag = message.flag;
  header.properties = message.properties;
  header.broker_name = queue.broker_name;
  return make_request(RequestCode::SendMessageV2, header, message.body);
}

net::Task<Result<SendResult>> Producer::send_once(const Prepared& message, MessageQueue queue,
                                                  std::string address,
                                                  std::chrono::milliseconds timeout) {
  protocol::Command request = make_send_request(message, queue);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await call_server(client_.rpc(), address, std::move(request), timeout));
  const auto status = stored_status(answer.code);
  if (!status) co_return fail(refusal(address, answer));
  const protocol::CommandView view = answer.view();
  const auto header = protocol::decode_fields<protocol::SendMessageResponse>(view);
  if (!header) {
    co_return fail(ClientErrc::AnswerMalformed, address + ": " + header.error().message());
  }
  SendResult result;
  result.status = *status;
  result.message_id = message.message_id;
  result.offset_message_id = header->msg_id;
  result.queue = std::move(queue);
  result.queue.queue_id = header->queue_id;  // the broker's choice, when it was asked to choose
  result.offset = header->queue_offset;
  result.broker_address = std::move(address);
  co_return result;
}

net::Task<Result<SharedRoute>> Producer::publish_route(std::string topic,
                                                       std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  Result<SharedRoute> route = co_await client_.routes().get(topic, timeout);
  if (route || route.error().code != ResponseCode::TopicNotExist) co_return route;

  const std::string auto_create(kAutoCreateTopic);
  const Result<SharedRoute> model = co_await client_.routes().get(auto_create, time_left(deadline));
  // No broker creates topics: the topic that is missing is the one that was asked for.
  if (!model) co_return route;
  co_return std::make_shared<const TopicRoute>(
      route_of_new_topic(std::move(topic), **model, options_.new_topic_queues));
}

net::Task<Result<SendResult>> Producer::send(Message message, std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const Prepared prepared, prepare(std::move(message)));
  RMQ_CO_TRY(const SharedRoute route, co_await publish_route(prepared.topic, timeout));
  if (route->writable().empty()) {
    co_return fail(ClientErrc::NoQueue, "topic '" + prepared.topic + "' has no writable queue");
  }

  const std::size_t brokers = count_brokers(route->writable());
  std::vector<std::string> tried;
  Error failure;
  for (int attempt = 1; attempt <= 1 + options_.retries; ++attempt) {
    RoundRobin& turn = attempt == 1 ? queues_ : retry_queues_;
    std::optional<MessageQueue> queue = turn.pick(route->writable(), tried);
    // All brokers were tried: this one is asked again, if that may help.
    if (!queue) queue = turn.pick(route->writable(), {});
    const std::string broker = queue->broker_name;
    const std::string address = route->master_address(broker).value_or("");

    // A broker that hangs must leave time for those that are still to be tried.
    const std::size_t untried = brokers - std::min(brokers, tried.size() + 1);
    const std::size_t left =
        std::min<std::size_t>(untried, static_cast<std::size_t>(1 + options_.retries - attempt));
    const auto share = time_left(deadline) / static_cast<int>(1 + left);

    Result<SendResult> sent = co_await send_once(prepared, std::move(*queue), address, share);
    if (sent) {
      sent->attempts = attempt;
      co_return sent;
    }
    failure = std::move(sent.error());
    const RetryAdvice advice = advise_retry(failure);
    if (advice == RetryAdvice::Fail) break;
    client_.routes().expire(prepared.topic);
    tried.push_back(broker);
    if (advice == RetryAdvice::OtherBroker && untried == 0) break;
    if (time_left(deadline).count() == 0) break;
  }
  co_return fail(std::move(failure));
}

net::Task<Result<SendResult>> Producer::send_to(Message message, MessageQueue queue,
                                                std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const Prepared prepared, prepare(std::move(message)));
  RMQ_CO_TRY(const SharedRoute route, co_await publish_route(prepared.topic, timeout));
  const auto& known = route->writable();
  if (std::find(known.begin(), known.end(), queue) == known.end()) {
    co_return fail(ClientErrc::QueueUnknown,
                   "topic '" + prepared.topic + "' has no writable queue " +
                       std::to_string(queue.queue_id) + " on broker '" + queue.broker_name + "'");
  }
  const std::string address = route->master_address(queue.broker_name).value_or("");
  Result<SendResult> sent =
      co_await send_once(prepared, std::move(queue), address, time_left(deadline));
  if (!sent && advise_retry(sent.error()) != RetryAdvice::Fail) {
    client_.routes().expire(prepared.topic);
  }
  co_return sent;
}

}  // namespace rmq::client
