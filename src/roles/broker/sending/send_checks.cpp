#include "roles/broker/sending/send_checks.h"

#include <algorithm>
#include <string_view>
#include <system_error>

#include "protocol/message_record.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/delivery/delayed_record.h"
#include "roles/broker/sending/send_thread.h"
#include "roles/broker/topics/topic_names.h"
#include "storage/store_errc.h"

namespace rmq::roles::broker {
namespace {

using protocol::ResponseCode;
using protocol::SendMessageRequest;

SendTopic to_send_topic(const protocol::TopicConfig& topic) {
  return {topic.read_queue_nums, topic.write_queue_nums,
          topic.filter_type == protocol::TopicFilterType::MultiTag};
}

}  // namespace

std::string size_remark(const storage::StoreConfig& config) {
  return "the message is illegal, maybe msg body or properties length not matched. msg body length "
         "limit " +
         std::to_string(config.max_message_bytes) + "B, msg properties length limit 32KB.";
}

Result<> check_send(const Broker& broker, const SendMessageRequest& request, ByteView body) {
  const BrokerConfig& config = broker.config;
  if (!protocol::is_writable(config.broker_permission) &&
      broker.topics.is_order_topic(request.topic)) {
    return fail(ResponseCode::NoPermission,
                "the broker[" + config.broker_ip1 + "] sending message is forbidden");
  }
  RMQ_CHECK(check_topic_name(request.topic));
  if (is_send_forbidden(request.topic)) {
    return fail(ResponseCode::NoPermission,
                "Sending message to topic[" + std::string(request.topic) + "] is forbidden.");
  }
  // Java's own answer to an empty body is an exception; to one that is too long it is this.
  const bool body_fits = !body.empty() && body.size() <= static_cast<std::size_t>(
                                                             broker.config.store.max_message_bytes);
  const bool properties_fit = request.properties.size() <= protocol::kPropertiesBytesMax;
  if (!body_fits || !properties_fit) {
    return fail(ResponseCode::MessageIllegal, size_remark(broker.config.store));
  }
  if (request.batch && request.topic.starts_with(kRetryTopicPrefix)) {
    return fail(ResponseCode::MessageIllegal,
                "batch request does not support retry group " + std::string(request.topic));
  }
  return {};
}

Result<SendTopic> topic_for_send(Broker& broker, SendThread& thread,
                                 const SendMessageRequest& request, const net::Endpoint& peer) {
  const TopicTableMap& topics = thread.topics();
  if (const auto found = topics.find(request.topic); found != topics.end())
    return to_send_topic(found->second);
  // A slave's topics are its master's; the store would refuse the message anyway.
  if (broker.is_slave()) {
    const Error slave{make_error_code(storage::StoreErrc::Following), {}};
    return fail(store_refusal(slave));
  }
  const bool retry = request.topic.starts_with(kRetryTopicPrefix);
  std::int32_t sys_flag = 0;
  if (request.unit_mode) sys_flag = retry ? protocol::kTopicUnitSubscribed : protocol::kTopicUnit;
  const auto created =
      broker.topics.create_in_send(request.topic, request.default_topic,
                                   request.default_topic_queue_nums, sys_flag, peer.text());
  if (created) return to_send_topic(*created);
  if (retry) {
    protocol::TopicConfig wanted;
    wanted.topic = std::string(request.topic);
    wanted.read_queue_nums = wanted.write_queue_nums = 1;
    wanted.topic_sys_flag = sys_flag;
    return to_send_topic(broker.topics.create_if_absent(wanted));
  }
  return fail(ResponseCode::TopicNotExist,
              "topic[" + std::string(request.topic) + "] not exist, apply first please!");
}

Result<> check_queue(const SendMessageRequest& request, const SendTopic& topic,
                     const net::Endpoint& peer) {
  const std::int32_t queues = std::max(topic.write_queue_nums, topic.read_queue_nums);
  if (request.queue_id < queues && (request.queue_id >= 0 || topic.write_queue_nums > 0)) return {};
  return fail(ResponseCode::InvalidParameter,
              "request queueId[" + std::to_string(request.queue_id) + "] is illegal, topic[" +
                  std::string(request.topic) +
                  "] readQueueNums=" + std::to_string(topic.read_queue_nums) + " writeQueueNums=" +
                  std::to_string(topic.write_queue_nums) + " Producer: " + peer.text());
}

Result<> refuse_special(const protocol::SendProperties& properties, std::int32_t sys_flag,
                        const BrokerConfig& config) {
  const std::int32_t transaction = sys_flag & protocol::kSysFlagTransactionMask;
  const bool half = properties.is_transaction_prepared() ||
                    transaction == protocol::kSysFlagTransactionPrepared ||
                    transaction == protocol::kSysFlagTransactionRollback;
  if (half) {
    return fail(ResponseCode::NoPermission,
                "the broker[" + config.broker_ip1 +
                    "] sending transaction message is forbidden: this version of rmq "
                    "has no transactions yet");
  }
  // As in Java a level beats a time.
  RMQ_TRY(const std::int64_t level, delay_level(properties.delay_level));
  if (level > 0) return {};
  const bool timed = !properties.timer_delay_sec.empty() || !properties.timer_delay_ms.empty() ||
                     !properties.timer_deliver_ms.empty() || !properties.timer_del_uniq_key.empty();
  if (timed) {
    return fail(ResponseCode::MessageIllegal,
                "timer message refused: this version of rmq has no timer messages yet (properties "
                "TIMER_*)");
  }
  return {};
}

Result<> refuse_delayed(const protocol::SendProperties& properties) {
  RMQ_TRY(const std::int64_t level, delay_level(properties.delay_level));
  if (level <= 0) return {};
  return fail(ResponseCode::MessageIllegal,
              "a message of a batch cannot be delayed: property DELAY");
}

Result<> check_slaves(const Broker& broker) {
  if (broker.replication().has_enough()) return {};
  return fail(ResponseCode::SystemError, "in-sync replicas not enough");
}

Error store_refusal(const Error& why) {
  using storage::StoreErrc;
  if (why.code == StoreErrc::RecordTooLarge) {
    return {make_error_code(ResponseCode::MessageIllegal), why.message()};
  }
  if (why.code == StoreErrc::Stopped || why.code == StoreErrc::Following ||
      why.code == StoreErrc::NoReign || why.code == StoreErrc::ReadOnly ||
      why.code == StoreErrc::DiskFull) {
    return {make_error_code(ResponseCode::ServiceNotAvailable),
            "service not available now: " + why.message()};
  }
  return why;
}

}  // namespace rmq::roles::broker
