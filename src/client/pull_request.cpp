#include "client/pull_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client/client_errc.h"
#include "client/server_call.h"
#include "protocol/pull.h"
#include "protocol/response_codes.h"
#include "protocol/tag_filter.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

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

// Brokers compare hashes of tags only.
bool matches(const protocol::SubscriptionData& subscription, const ReceivedMessage& message) {
  const std::vector<std::string>& tags = subscription.tags;
  return !subscription.is_tag_type() || tags.empty() ||
         std::find(tags.begin(), tags.end(), message.tag) != tags.end();
}

}  // namespace

protocol::Command make_pull_request(const std::string& group, const MessageQueue& queue,
                                    QueueOffset from, std::int32_t messages_max,
                                    const protocol::SubscriptionData& subscription,
                                    std::chrono::milliseconds hold) {
  protocol::PullMessageRequest header;
  header.consumer_group = group;
  header.topic = queue.topic;
  header.queue_id = queue.queue_id;
  header.queue_offset = from;
  header.max_msg_nums = messages_max;
  header.sys_flag = protocol::kPullSubscription | (hold.count() > 0 ? protocol::kPullSuspend : 0);
  header.suspend_timeout_millis = hold.count();
  header.subscription = subscription.sub_string;
  header.sub_version = subscription.sub_version;
  if (!subscription.is_tag_type()) header.expression_type = subscription.expression_type;
  header.broker_name = queue.broker_name;
  return make_request(RequestCode::PullMessage, header);
}

Result<PullResult> parse_pull_answer(const protocol::Command& answer, const MessageQueue& queue,
                                     const protocol::SubscriptionData& subscription,
                                     const std::string& address) {
  const auto status = pull_status(answer.code);
  if (!status) return fail(refusal(address, answer));
  const protocol::CommandView view = answer.view();
  const auto fields = protocol::decode_fields<protocol::PullMessageResponse>(view);
  if (!fields) return fail(ClientErrc::AnswerMalformed, address + ": " + fields.error().message());
  PullResult result;
  result.status = *status;
  result.next = fields->next_begin_offset;
  result.min = fields->min_offset;
  result.max = fields->max_offset;
  result.address = address;
  result.suggested_broker_id = fields->suggest_which_broker_id;
  if (*status != PullStatus::Found) return result;
  Result<std::vector<ReceivedMessage>> messages = decode_messages(answer.body, queue.broker_name);
  if (!messages) return fail(error_at(address, std::move(messages.error())));
  for (ReceivedMessage& message : *messages) {
    if (matches(subscription, message)) result.messages.push_back(std::move(message));
  }
  return result;
}

Result<protocol::SubscriptionData> make_subscription(std::string topic, std::string expression,
                                                     std::string expression_type,
                                                     std::int64_t version) {
  protocol::SubscriptionData data;
  data.topic = std::move(topic);
  data.sub_string = expression.empty() ? "*" : std::move(expression);
  data.expression_type = expression_type.empty() ? "TAG" : std::move(expression_type);
  data.sub_version = version;
  if (!data.is_tag_type()) return data;
  RMQ_TRY(const protocol::TagFilter filter, protocol::TagFilter::parse(data.sub_string));
  data.tags = filter.tags();
  data.tag_hashes = filter.hashes();
  return data;
}

}  // namespace rmq::client
