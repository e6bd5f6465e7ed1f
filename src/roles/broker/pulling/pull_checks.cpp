#include "roles/broker/pulling/pull_checks.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "protocol/tag_filter.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {
namespace {

using protocol::PullMessageRequest;
using protocol::ResponseCode;

// Bit of GroupTable::forbidden() for reading (PermName.INDEX_PERM_READ).
constexpr std::int32_t kForbiddenReadBit = 1 << 2;

bool is_tag_type(std::string_view expression_type) {
  return expression_type.empty() || expression_type == "TAG";
}

Result<> check_group(Broker& broker, const PullMessageRequest& request, PullPlan& plan) {
  const std::string group(request.consumer_group);
  const auto take = [&](const protocol::SubscriptionGroupConfig& config) -> Result<> {
    if (!config.consume_enable) {
      return fail(ResponseCode::NoPermission, "subscription group no permission, " + group);
    }
    plan.group_sys_flag = config.group_sys_flag;
    plan.broker_id = config.broker_id;
    plan.broker_when_slow = config.which_broker_when_consume_slowly;
    return {};
  };
  const std::shared_ptr<const GroupTableMap> known = broker.groups.snapshot().load();
  if (const auto found = known->find(request.consumer_group); found != known->end())
    return take(found->second);
  if (const auto created = broker.groups.find_or_create(request.consumer_group))
    return take(*created);
  return fail(ResponseCode::SubscriptionGroupNotExist,
              "subscription group [" + group + "] does not exist");
}

Result<> check_topic(Broker& broker, net::Connection& connection, const PullMessageRequest& request,
                     PullPlan& plan) {
  const std::string name(request.topic);
  const TopicTableMap& topics = broker.send_thread(connection.thread()).topics();
  const auto found = topics.find(request.topic);
  if (found == topics.end()) {
    return fail(ResponseCode::TopicNotExist, "topic[" + name + "] not exist, apply first please!");
  }
  const protocol::TopicConfig& topic = found->second;
  if (!protocol::is_readable(topic.perm)) {
    return fail(ResponseCode::NoPermission, "the topic[" + name + "] pulling message is forbidden");
  }
  if (request.queue_id < 0 || request.queue_id >= topic.read_queue_nums) {
    return fail(ResponseCode::InvalidParameter,
                "queueId[" + std::to_string(request.queue_id) + "] is illegal, topic:[" + name +
                    "] topicConfig.readQueueNums:[" + std::to_string(topic.read_queue_nums) +
                    "] consumer:[" + connection.peer().text() + "]");
  }
  plan.topic_sys_flag = topic.topic_sys_flag;
  return {};
}

Result<> check_expression_type(const Broker& broker, std::string_view type) {
  if (is_tag_type(type) || broker.config.enable_property_filter) return {};
  return fail(ResponseCode::SystemError,
              "The broker does not support consumer to filter message by " + std::string(type));
}

// The request brings its own expression.
Result<> use_own_subscription(const Broker& broker, const PullMessageRequest& request,
                              PullPlan& plan) {
  RMQ_CHECK(check_expression_type(broker, request.expression_type));
  Result<protocol::TagFilter> filter = protocol::TagFilter::parse(request.subscription);
  if (!filter)
    return fail(ResponseCode::SubscriptionParseFailed, "parse the consumer's subscription failed");
  if (!filter->matches_all())
    plan.tags = std::make_shared<const protocol::TagFilter>(std::move(*filter));
  return {};
}

// The group's heartbeats said what it wants.
Result<> use_group_subscription(Broker& broker, const PullMessageRequest& request, PullPlan& plan) {
  const std::shared_ptr<const GroupSubscription> group =
      broker.clients.subscription(request.consumer_group);
  if (!group)
    return fail(ResponseCode::SubscriptionNotExist, "the consumer's group info not exist");
  const std::string name(request.consumer_group);
  if (group->message_model == protocol::MessageModel::Broadcasting) {
    const auto config = broker.groups.find(request.consumer_group);
    if (config && !config->consume_broadcast_enable) {
      return fail(ResponseCode::NoPermission,
                  "the consumer group[" + name + "] can not consume by broadcast way");
    }
  }
  if ((broker.groups.forbidden(request.consumer_group, request.topic) & kForbiddenReadBit) != 0) {
    return fail(ResponseCode::NoPermission, "the consumer group[" + name +
                                                "] is forbidden for topic[" +
                                                std::string(request.topic) + "]");
  }
  const TopicSubscription* wanted = group->find(request.topic);
  if (wanted == nullptr) {
    return fail(ResponseCode::SubscriptionNotExist, "the consumer's subscription not exist");
  }
  if (wanted->data.sub_version < request.sub_version) {
    return fail(ResponseCode::SubscriptionNotLatest, "the consumer's subscription not latest");
  }
  RMQ_CHECK(check_expression_type(broker, wanted->data.expression_type));
  // Both live as long as the subscription.
  if (!wanted->tags.matches_all())
    plan.tags = std::shared_ptr<const protocol::TagFilter>(group, &wanted->tags);
  return {};
}

}  // namespace

Result<PullPlan> plan_pull(Broker& broker, net::Connection& connection,
                           const PullMessageRequest& request,
                           const protocol::CommandView& command) {
  const BrokerConfig& config = broker.config;
  if (!protocol::is_readable(config.broker_permission)) {
    return fail(ResponseCode::NoPermission,
                "the broker[" + config.broker_ip1 + "] pulling message is forbidden");
  }
  const bool lite =
      command.code == static_cast<std::int32_t>(protocol::RequestCode::LitePullMessage);
  if (lite && !config.lite_pull_message_enable) {
    return fail(ResponseCode::NoPermission,
                "the broker[" + config.broker_ip1 + "] for lite pull consumer is forbidden");
  }
  PullPlan plan;
  RMQ_CHECK(check_group(broker, request, plan));
  RMQ_CHECK(check_topic(broker, connection, request, plan));
  if ((request.sys_flag & protocol::kPullSubscription) != 0) {
    RMQ_CHECK(use_own_subscription(broker, request, plan));
  } else {
    RMQ_CHECK(use_group_subscription(broker, request, plan));
  }
  return plan;
}

}  // namespace rmq::roles::broker
