#include "roles/broker/delivery/send_msg_back.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "protocol/message_id.h"
#include "protocol/properties.h"
#include "protocol/response_codes.h"
#include "protocol/topic_config.h"
#include "roles/broker/broker.h"
#include "roles/broker/delivery/delayed_record.h"
#include "roles/broker/delivery/retry.h"
#include "roles/broker/sending/append_and_wait.h"
#include "roles/broker/topics/topic_names.h"

namespace rmq::roles::broker {
namespace {

using protocol::ConsumerSendMsgBackRequest;
using protocol::MessageRecord;
using protocol::Property;
using protocol::ResponseCode;
using protocol::SubscriptionGroupConfig;
using protocol::TopicConfig;
namespace property = protocol::property;

// The first retry comes after the delay of this level, as in Java.
constexpr std::int32_t kFirstRetryLevel = 3;

// A retry on its way into the store.
struct Retry {
  std::unique_ptr<storage::AppendBatch> batch = std::make_unique<storage::AppendBatch>();
  std::optional<TableVersion> topic_saved;
};

// The failed message again, as `group` is to get it; with `level` 0 as a dead letter.
Result<> add_retry(Broker& broker, storage::AppendBatch& batch, const MessageRecord& failed,
                   std::string_view topic, QueueId queue_id, std::int64_t level) {
  const auto retry_of = protocol::find_property(failed.properties, property::kRetryTopic);
  const auto origin = protocol::find_property(failed.properties, property::kOriginMessageId);
  const protocol::MessageIdText own_id =
      protocol::encode_message_id({failed.store_host, failed.physical_offset});
  const std::array<Property, 6> changes{
      {{property::kRetryTopic, retry_of.value_or(failed.topic)},
       {property::kOriginMessageId, origin.value_or(own_id.view())},
       {property::kWaitStoreMsgOk, "false"},
       {property::kDelayTimeLevel, "0"},
       {property::kCrc32, {}},
       {property::kDelayMark, {}}}};
  std::string properties = protocol::rewrite_properties(failed.properties, changes);
  MessageRecord record = failed;
  record.topic = topic;
  record.queue_id = queue_id;
  record.properties = properties;
  record.store_host = broker.store_host;
  record.reconsume_times = failed.reconsume_times + 1;
  record.prepared_transaction_offset = 0;
  if (level > 0) schedule(record, level, broker.store->delay_levels(), properties);
  const auto tags = protocol::find_property(record.properties, property::kTags);
  if (!add_to_batch(*broker.store, batch, record, tags.value_or(""))) {
    return fail(ResponseCode::SystemError, "PROPERTIES_SIZE_EXCEEDED");
  }
  return {};
}

// Nothing: the group wants no retries.
Result<std::optional<Retry>> make_retry(Broker& broker, const Caller& caller,
                                        const ConsumerSendMsgBackRequest& request) {
  RMQ_TRY(const SubscriptionGroupConfig group, group_for_retry(broker, request.group));
  if (!protocol::is_writable(broker.config.broker_permission)) {
    return fail(ResponseCode::NoPermission,
                "the broker[" + broker.config.broker_ip1 + "] sending message is forbidden");
  }
  if (group.retry_queue_nums <= 0) return std::nullopt;
  TopicConfig topic = make_retry_topic(broker, group, request.unit_mode);
  if (!protocol::is_writable(topic.perm)) {
    return fail(ResponseCode::NoPermission,
                "the topic[" + topic.topic + "] sending message is forbidden");
  }
  const Result<storage::RecordSpan> span = broker.store->record_at(request.offset);
  const Result<MessageRecord> failed =
      span ? protocol::decode_record(span->bytes) : Result<MessageRecord>(fail(span.error()));
  if (!failed) {
    return fail(ResponseCode::SystemError,
                "look message by offset failed, " + std::to_string(request.offset.value));
  }
  const std::int32_t times_max =
      reconsume_times_max(group, caller.command->version, request.max_reconsume_times);
  QueueId queue_id =
      broker.send_thread(caller.connection->thread()).random_queue(group.retry_queue_nums);
  std::int64_t level = request.delay_level;
  if (failed->reconsume_times >= times_max || level < 0) {
    topic = make_dead_letter_topic(broker, request.group);
    queue_id = 0;
    level = 0;
    log::info("delivery", "message goes to the dead letters", kv("group", request.group),
              kv("topic", failed->topic), kv("times", failed->reconsume_times),
              kv("max", times_max));
  } else if (level == 0) {
    level = std::int64_t{kFirstRetryLevel} + failed->reconsume_times;
  }
  Retry retry;
  RMQ_CHECK(add_retry(broker, *retry.batch, *failed, topic.topic, queue_id, level));
  retry.topic_saved = broker.topics.unsaved(topic.topic);
  return retry;
}

}  // namespace

net::Task<Result<Response>> on_consumer_send_msg_back(Broker& broker, Caller caller,
                                                      ConsumerSendMsgBackRequest request) {
  Result<std::optional<Retry>> retry = make_retry(broker, caller, request);
  if (!retry) co_return fail(retry.error());
  if (!*retry) co_return respond();
  const Result<std::unique_ptr<storage::AppendBatch>> stored =
      co_await append_and_wait(broker, std::move((*retry)->batch), (*retry)->topic_saved);
  if (!stored) co_return fail(ResponseCode::SystemError, stored.error().message());
  co_return respond();
}

}  // namespace rmq::roles::broker
