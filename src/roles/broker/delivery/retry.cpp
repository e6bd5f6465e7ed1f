#include "roles/broker/delivery/retry.h"

#include "base/log.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/topics/topic_names.h"

namespace rmq::roles::broker {
namespace {

using protocol::ResponseCode;
using protocol::SubscriptionGroupConfig;
using protocol::TopicConfig;

constexpr std::int32_t kVersionWithMaxTimes = 121;  // MQVersion.V3_4_9
constexpr std::int32_t kDeadLetterQueues = 1;

// KeyBuilder.parseGroup: a retry topic of POP has the topic behind the group.
std::string_view group_of_retry_topic(std::string_view topic) {
  const std::string_view rest = topic.substr(kRetryTopicPrefix.size());
  return rest.substr(0, rest.find('+'));
}

}  // namespace

Result<SubscriptionGroupConfig> group_for_retry(Broker& broker, std::string_view group) {
  auto found = broker.groups.find_or_create(group);
  if (found) return std::move(*found);
  return fail(ResponseCode::SubscriptionGroupNotExist,
              "subscription group not exist, " + std::string(group));
}

std::int32_t reconsume_times_max(const SubscriptionGroupConfig& group, std::int32_t client_version,
                                 std::optional<std::int32_t> asked) {
  return client_version >= kVersionWithMaxTimes && asked ? *asked : group.retry_max_times;
}

TopicConfig make_retry_topic(Broker& broker, const SubscriptionGroupConfig& group, bool unit_mode) {
  TopicConfig topic;
  topic.topic = retry_topic(group.group);
  topic.read_queue_nums = topic.write_queue_nums = group.retry_queue_nums;
  topic.topic_sys_flag = unit_mode ? protocol::kTopicUnitSubscribed : 0;
  return broker.topics.create_if_absent(topic);
}

TopicConfig make_dead_letter_topic(Broker& broker, std::string_view group) {
  TopicConfig topic;
  topic.topic = dead_letter_topic(group);
  topic.read_queue_nums = topic.write_queue_nums = kDeadLetterQueues;
  return broker.topics.create_if_absent(topic);
}

Result<std::optional<TopicConfig>> dead_letter_topic_for_send(
    Broker& broker, const protocol::SendMessageRequest& request, std::int32_t client_version) {
  if (!request.topic.starts_with(kRetryTopicPrefix)) return std::nullopt;
  const std::string_view name = group_of_retry_topic(request.topic);
  RMQ_TRY(const SubscriptionGroupConfig group, group_for_retry(broker, name));
  const std::int32_t times_max =
      reconsume_times_max(group, client_version, request.max_reconsume_times);
  const bool in_order = !broker.locks.all_expired(name);
  if (request.reconsume_times <= times_max && !in_order) return std::nullopt;
  log::info("delivery", "sent to a retry topic, goes to the dead letters", kv("group", name),
            kv("times", request.reconsume_times), kv("max", times_max), kv("in_order", in_order));
  return make_dead_letter_topic(broker, name);
}

}  // namespace rmq::roles::broker
