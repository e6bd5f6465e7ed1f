#include "protocol/group_body.h"

#include "protocol/body_json.h"

namespace rmq::protocol {

namespace {

json::Value to_json(const GroupRetryPolicy& policy) {
  json::Value object = json::Value::object();
  if (policy.customized_ms) {
    json::Value steps = json::Value::array();
    for (const std::int64_t step : *policy.customized_ms) steps.push_back(step);
    json::Value customized = json::Value::object();
    customized.set("next", std::move(steps));
    object.set("customizedRetryPolicy", std::move(customized));
  }
  if (policy.exponential) {
    json::Value exponential = json::Value::object();
    exponential.set("initial", policy.exponential->initial_ms);
    exponential.set("max", policy.exponential->max_ms);
    exponential.set("multiplier", policy.exponential->multiplier);
    object.set("exponentialRetryPolicy", std::move(exponential));
  }
  object.set("type",
             policy.type == GroupRetryPolicyType::Exponential ? "EXPONENTIAL" : "CUSTOMIZED");
  return object;
}

GroupRetryPolicy retry_policy_from(const json::Value& value) {
  GroupRetryPolicy policy;
  const std::string type = value.text_or("type", "CUSTOMIZED");
  if (type == "EXPONENTIAL" || type == "0") policy.type = GroupRetryPolicyType::Exponential;
  if (const json::Value* exponential = object_member(value, "exponentialRetryPolicy")) {
    const ExponentialRetryPolicy defaults;
    policy.exponential = ExponentialRetryPolicy{
        .initial_ms = exponential->int_or("initial", defaults.initial_ms),
        .max_ms = exponential->int_or("max", defaults.max_ms),
        .multiplier = exponential->int_or("multiplier", defaults.multiplier)};
  }
  if (const json::Value* customized = object_member(value, "customizedRetryPolicy")) {
    if (const json::Value* steps = array_member(*customized, "next")) {
      policy.customized_ms.emplace();
      for (const json::Value& step : steps->items()) {
        policy.customized_ms->push_back(step.as_int().value_or(0));
      }
    }
  }
  return policy;
}

json::Value to_json(const SimpleSubscriptionData& subscription) {
  json::Value object = json::Value::object();
  object.set("expression", subscription.expression);
  object.set("expressionType", subscription.expression_type);
  object.set("topic", subscription.topic);
  object.set("version", subscription.version);
  return object;
}

SimpleSubscriptionData simple_subscription_from(const json::Value& value) {
  return SimpleSubscriptionData{.topic = value.text_or("topic", ""),
                                .expression_type = value.text_or("expressionType", ""),
                                .expression = value.text_or("expression", ""),
                                .version = value.int_or("version", 0)};
}

}  // namespace

json::Value to_json(const SubscriptionGroupConfig& config) {
  json::Value attributes = json::Value::object();
  for (const auto& [key, value] : config.attributes) attributes.set(key, value);
  json::Value object = json::Value::object();
  object.set("attributes", std::move(attributes));
  object.set("brokerId", config.broker_id);
  object.set("consumeBroadcastEnable", config.consume_broadcast_enable);
  object.set("consumeEnable", config.consume_enable);
  object.set("consumeFromMinEnable", config.consume_from_min_enable);
  object.set("consumeMessageOrderly", config.consume_message_orderly);
  object.set("consumeTimeoutMinute", config.consume_timeout_minutes);
  object.set("groupName", config.group);
  object.set("groupRetryPolicy", to_json(config.retry_policy));
  object.set("groupSysFlag", config.group_sys_flag);
  object.set("notifyConsumerIdsChangedEnable", config.notify_consumer_ids_changed_enable);
  object.set("retryMaxTimes", config.retry_max_times);
  object.set("retryQueueNums", config.retry_queue_nums);
  if (config.subscriptions) {
    json::Value set = json::Value::array();
    for (const SimpleSubscriptionData& subscription : *config.subscriptions) {
      set.push_back(to_json(subscription));
    }
    object.set("subscriptionDataSet", std::move(set));
  }
  object.set("whichBrokerWhenConsumeSlowly", config.which_broker_when_consume_slowly);
  return object;
}

SubscriptionGroupConfig subscription_group_from(const json::Value& value) {
  SubscriptionGroupConfig config;
  config.group = value.text_or("groupName", "");
  config.consume_enable = value.bool_or("consumeEnable", config.consume_enable);
  config.consume_from_min_enable =
      value.bool_or("consumeFromMinEnable", config.consume_from_min_enable);
  config.consume_broadcast_enable =
      value.bool_or("consumeBroadcastEnable", config.consume_broadcast_enable);
  config.consume_message_orderly =
      value.bool_or("consumeMessageOrderly", config.consume_message_orderly);
  config.retry_queue_nums = int32_or(value, "retryQueueNums", config.retry_queue_nums);
  config.retry_max_times = int32_or(value, "retryMaxTimes", config.retry_max_times);
  if (const json::Value* policy = object_member(value, "groupRetryPolicy")) {
    config.retry_policy = retry_policy_from(*policy);
  }
  config.broker_id = value.int_or("brokerId", config.broker_id);
  config.which_broker_when_consume_slowly =
      value.int_or("whichBrokerWhenConsumeSlowly", config.which_broker_when_consume_slowly);
  config.notify_consumer_ids_changed_enable =
      value.bool_or("notifyConsumerIdsChangedEnable", config.notify_consumer_ids_changed_enable);
  config.group_sys_flag = int32_or(value, "groupSysFlag", config.group_sys_flag);
  config.consume_timeout_minutes =
      int32_or(value, "consumeTimeoutMinute", config.consume_timeout_minutes);
  if (const json::Value* set = array_member(value, "subscriptionDataSet")) {
    config.subscriptions.emplace();
    for (const json::Value& item : set->items()) {
      config.subscriptions->push_back(simple_subscription_from(item));
    }
  }
  if (const json::Value* attributes = object_member(value, "attributes")) {
    for (const json::Member& member : attributes->members()) {
      if (const auto text = member.value.as_text()) {
        config.attributes.insert_or_assign(member.key_text(), *text);
      }
    }
  }
  return config;
}

std::string encode_subscription_group(const SubscriptionGroupConfig& config) {
  return json::write(to_json(config));
}

Result<SubscriptionGroupConfig> decode_subscription_group(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  return subscription_group_from(object);
}

std::string encode_subscription_groups(const SubscriptionGroupTableBody& body,
                                       const json::Style& style) {
  json::Value forbidden = json::Value::object();
  for (const auto& [group, topics] : body.forbidden) {
    json::Value bits = json::Value::object();
    for (const auto& [topic, value] : topics) bits.set(topic, value);
    forbidden.set(group, std::move(bits));
  }
  json::Value groups = json::Value::object();
  for (const auto& [name, config] : body.groups) groups.set(name, to_json(config));
  json::Value object = json::Value::object();
  object.set("dataVersion", to_json(body.data_version));
  object.set("forbiddenTable", std::move(forbidden));
  object.set("subscriptionGroupTable", std::move(groups));
  return json::write(object, style);
}

Result<SubscriptionGroupTableBody> decode_subscription_groups(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  SubscriptionGroupTableBody decoded;
  decoded.data_version = data_version_from(object.find("dataVersion"));
  if (const json::Value* forbidden = object_member(object, "forbiddenTable")) {
    for (const json::Member& group : forbidden->members()) {
      auto& topics = decoded.forbidden[group.key_text()];
      for (const json::Member& topic : group.value.members()) {
        topics[topic.key_text()] = static_cast<std::int32_t>(topic.value.as_int().value_or(0));
      }
    }
  }
  if (const json::Value* groups = object_member(object, "subscriptionGroupTable")) {
    for (const json::Member& member : groups->members()) {
      if (!member.value.is_object()) continue;
      SubscriptionGroupConfig config = subscription_group_from(member.value);
      if (config.group.empty()) config.group = member.key_text();
      decoded.groups.insert_or_assign(member.key_text(), std::move(config));
    }
  }
  return decoded;
}

}  // namespace rmq::protocol
