#include "client/pull_consumer.h"

#include <algorithm>
#include <set>

#include "client/client_errc.h"
#include "client/server_call.h"
#include "protocol/offset.h"
#include "protocol/pull.h"
#include "protocol/response_codes.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

// An expression that does not parse lets everything pass here: the broker refuses it with the
// reason.
// The broker refuses an expression that cannot be read, so no message meets nothing().
protocol::TagFilter parse_filter(std::string_view expression) {
  auto filter = protocol::TagFilter::parse(expression);
  return filter ? std::move(*filter) : protocol::TagFilter::nothing();
}

std::optional<PullStatus> pull_status(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::Success:
      return PullStatus::Found;
    case ResponseCode::PullNotFound:
      return PullStatus::NothingNew;
    case ResponseCode::PullRetryImmediately:
      return PullStatus::NothingMatched;
    case ResponseCode::PullOffsetMoved:
      return PullStatus::OffsetMoved;
    default:
      return std::nullopt;
  }
}

}  // namespace

PullConsumer::PullConsumer(Client& client, PullConsumerOptions options)
    : client_(client), options_(std::move(options)), filter_(parse_filter(options_.tags)) {}

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

  protocol::PullMessageRequest header;
  header.consumer_group = options_.group;
  header.topic = queue.topic;
  header.queue_id = queue.queue_id;
  header.queue_offset = from;
  header.max_msg_nums = options_.max_messages;
  // The subscription travels in the request: nobody has to have sent a heartbeat.
  header.sys_flag = protocol::kPullSubscription | (hold.count() > 0 ? protocol::kPullSuspend : 0);
  header.suspend_timeout_millis = hold.count();
  header.subscription = options_.tags;
  header.sub_version = client_.clock().now_ms();
  header.broker_name = queue.broker_name;
  protocol::Command request = make_request(RequestCode::PullMessage, header);
  // Brokers notice only every five seconds that a held pull is due.
  const auto timeout = options_.timeout + hold + std::chrono::seconds(hold.count() > 0 ? 5 : 0);
  Result<protocol::Command> answer =
      co_await call_server(client_.rpc(), address, std::move(request), timeout);
  if (!answer) {
    client_.routes().expire(queue.topic);
    co_return fail(std::move(answer.error()));
  }
  const auto status = pull_status(answer->code);
  if (!status) co_return fail(refusal(address, *answer));

  const protocol::CommandView view = answer->view();
  const auto fields = protocol::decode_fields<protocol::PullMessageResponse>(view);
  if (!fields) {
    co_return fail(ClientErrc::AnswerMalformed, address + ": " + fields.error().message());
  }
  prefer_broker(queue, fields->suggest_which_broker_id);
  PullResult result;
  result.status = *status;
  result.next = fields->next_begin_offset;
  result.min = fields->min_offset;
  result.max = fields->max_offset;
  result.address = address;
  if (*status == PullStatus::Found) {
    Result<std::vector<ReceivedMessage>> messages =
        decode_messages(answer->body, queue.broker_name);
    if (!messages) co_return fail(error_at(address, std::move(messages.error())));
    for (ReceivedMessage& message : *messages) {
      if (matches(message)) result.messages.push_back(std::move(message));
    }
  }
  co_return result;
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

bool PullConsumer::matches(const ReceivedMessage& message) const {
  // The broker compared hashes only.
  const std::vector<std::string>& tags = filter_.tags();
  return filter_.matches_all() || std::find(tags.begin(), tags.end(), message.tag) != tags.end();
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
