#include "client/pull_consumer.h"

#include <algorithm>
#include <set>

#include "client/client_errc.h"
#include "client/server_call.h"
#include "protocol/offset.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;

// The broker refuses an expression that cannot be read, with the reason.
protocol::SubscriptionData subscription_to(const std::string& tags) {
  auto parsed = make_subscription("", tags, "TAG", 0);
  if (parsed) return std::move(*parsed);
  protocol::SubscriptionData as_it_is;
  as_it_is.sub_string = tags;
  return as_it_is;
}

}  // namespace

PullConsumer::PullConsumer(Client& client, PullConsumerOptions options)
    : client_(client),
      options_(std::move(options)),
      subscription_(subscription_to(options_.tags)) {}

net::Task<Result<std::vector<MessageQueue>>> PullConsumer::queues(std::string topic) {
  RMQ_CO_TRY(const SharedRoute route, co_await client_.routes().get(topic, options_.timeout));
  if (route->readable().empty()) {
    co_return fail(ClientErrc::NoQueue, "topic '" + topic + "' has no readable queue");
  }
  co_return route->readable();
}

net::Task<Result<std::string>> PullConsumer::address_of(const MessageQueue& queue,
                                                        std::int64_t preferred_id) {
  RMQ_CO_TRY(const SharedRoute route, co_await client_.routes().get(queue.topic, options_.timeout));
  auto address = route->read_address(queue.broker_name, preferred_id);
  if (!address) {
    co_return fail(
        ClientErrc::BrokerUnknown,
        "'" + queue.broker_name + "' is not in the route of topic '" + queue.topic + "'");
  }
  MutexLock lock(mutex_);
  used_addresses_.insert(*address);
  co_return std::move(*address);
}

template <class Request>
net::Task<Result<QueueOffset>> PullConsumer::ask_offset(MessageQueue queue, RequestCode code,
                                                        Request header) {
  header.topic = queue.topic;
  header.queue_id = queue.queue_id;
  RMQ_CO_TRY(const std::string address, co_await address_of(queue, 0));
  protocol::Command request = make_request(code, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_server(client_.rpc(), address, std::move(request), options_.timeout));
  const protocol::CommandView view = answer.view();
  const auto fields = protocol::decode_fields<protocol::OffsetResponse>(view);
  if (!fields) {
    co_return fail(ClientErrc::AnswerMalformed, address + ": " + fields.error().message());
  }
  co_return fields->offset;
}

net::Task<Result<QueueOffset>> PullConsumer::begin_offset(MessageQueue queue) {
  const protocol::GetMinOffsetRequest header;
  return ask_offset(std::move(queue), RequestCode::GetMinOffset, header);
}

net::Task<Result<QueueOffset>> PullConsumer::end_offset(MessageQueue queue) {
  const protocol::GetMaxOffsetRequest header;
  return ask_offset(std::move(queue), RequestCode::GetMaxOffset, header);
}

net::Task<Result<QueueOffset>> PullConsumer::offset_at(MessageQueue queue, std::int64_t epoch_ms) {
  protocol::SearchOffsetByTimestampRequest header;
  header.timestamp = epoch_ms;
  return ask_offset(std::move(queue), RequestCode::SearchOffsetByTimestamp, header);
}

net::Task<Result<PullResult>> PullConsumer::pull(MessageQueue queue, QueueOffset from,
                                                 std::chrono::milliseconds hold) {
  RMQ_CO_TRY(const std::string address, co_await address_of(queue, preferred_broker(queue)));

  protocol::SubscriptionData subscription = subscription_;
  subscription.sub_version = client_.clock().now_ms();
  protocol::Command request =
      make_pull_request(options_.group, queue, from, options_.max_messages, subscription, hold);
  const auto timeout =
      options_.timeout + hold + (hold.count() > 0 ? kHoldSlack : std::chrono::seconds(0));
  Result<protocol::Command> answer =
      co_await call_server(client_.rpc(), address, std::move(request), timeout);
  if (!answer) {
    client_.routes().expire(queue.topic);
    co_return fail(std::move(answer.error()));
  }
  Result<PullResult> pulled = parse_pull_answer(*answer, queue, subscription, address);
  if (pulled) prefer_broker(queue, pulled->suggested_broker_id);
  co_return pulled;
}

std::int64_t PullConsumer::preferred_broker(const MessageQueue& queue) {
  MutexLock lock(mutex_);
  const auto preferred = preferred_.find(queue);
  return preferred == preferred_.end() ? protocol::kMasterId : preferred->second;
}

void PullConsumer::prefer_broker(const MessageQueue& queue, std::int64_t id) {
  MutexLock lock(mutex_);
  preferred_[queue] = id;
}

net::Task<> PullConsumer::disconnect() {
  std::set<std::string> addresses;
  {
    MutexLock lock(mutex_);
    addresses.swap(used_addresses_);
  }
  for (const std::string& address : addresses) {
    const auto connection = co_await client_.rpc().connection(address, std::chrono::seconds(1));
    if (connection) (*connection)->close();
  }
}

}  // namespace rmq::client
