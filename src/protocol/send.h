// Headers of sending: SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320),
// SEND_REPLY_MESSAGE (324, 325), PUSH_REPLY_MESSAGE_TO_CLIENT (326), CONSUMER_SEND_MSG_BACK (36),
// END_TRANSACTION (37), CHECK_TRANSACTION_STATE (39). Source: SendMessageRequestHeader.java,
// SendMessageRequestHeaderV2.java and their neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

// One request under two sets of names: long ones for 10 and 324, one letter each for 310, 320 and
// 325.
struct SendMessageRequest {
  std::string_view producer_group{};
  std::string_view topic{};
  std::string_view default_topic{};  // the topic to copy when `topic` is created by this send
  std::int32_t default_topic_queue_nums = 4;  // how many queues the client would like then
  QueueId queue_id = 0;                       // negative: the broker picks
  std::int32_t sys_flag = 0;                  // as stored, message_record.h
  std::int64_t born_timestamp = 0;            // ms since the epoch
  std::int32_t flag = 0;                      // the user's
  std::string_view properties{};              // name 0x01 value 0x02 ...
  std::int32_t reconsume_times = 0;           // sends to %RETRY% topics only
  bool unit_mode = false;
  bool batch = false;  // the body is a batch; the code does not matter
  std::optional<std::int32_t> max_reconsume_times{};
  std::string_view broker_name{};

  static constexpr bool uses_short_names(std::int32_t code) {
    return code == static_cast<std::int32_t>(RequestCode::SendMessageV2) ||
           code == static_cast<std::int32_t>(RequestCode::SendBatchMessage) ||
           code == static_cast<std::int32_t>(RequestCode::SendReplyMessageV2);
  }
  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("producerGroup", self.producer_group, kOptional);
    f("topic", self.topic, kRequired);
    f("defaultTopic", self.default_topic, kOptional);
    f("defaultTopicQueueNums", self.default_topic_queue_nums, kOptional);
    f("queueId", self.queue_id, kRequired);
    f("sysFlag", self.sys_flag, kRequired);
    f("bornTimestamp", self.born_timestamp, kRequired);
    f("flag", self.flag, kRequired);
    f("properties", self.properties, kOptional);
    f("reconsumeTimes", self.reconsume_times, kOptional);
    f("unitMode", self.unit_mode, kOptional);
    f("batch", self.batch, kOptional);
    f("maxReconsumeTimes", self.max_reconsume_times, kOptional);
    f("bname", self.broker_name, kOptional);
  }
  template <class Self, class F>
  static constexpr void short_fields(Self& self, F&& f) {
    f("a", self.producer_group, kOptional);
    f("b", self.topic, kRequired);
    f("c", self.default_topic, kOptional);
    f("d", self.default_topic_queue_nums, kOptional);
    f("e", self.queue_id, kRequired);
    f("f", self.sys_flag, kRequired);
    f("g", self.born_timestamp, kRequired);
    f("h", self.flag, kRequired);
    f("i", self.properties, kOptional);
    f("j", self.reconsume_times, kOptional);
    f("k", self.unit_mode, kOptional);
    f("l", self.max_reconsume_times, kOptional);
    f("m", self.batch, kOptional);
    f("n", self.broker_name, kOptional);
  }
};

// Codes 0, 10, 11 and 12 carry it: the Java client reads MSG_REGION without a look whether there
// are ext fields.
struct SendMessageResponse {
  std::string_view msg_id{};  // offset message ids, joined by ',' for a batch
  QueueId queue_id = 0;
  QueueOffset queue_offset{};  // of the first message of a batch
  std::string_view transaction_id{};
  std::string_view batch_uniq_id{};
  std::string_view recall_handle{};
  std::string_view msg_region{};
  bool trace_on = true;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("msgId", self.msg_id, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("queueOffset", self.queue_offset, kRequired);
    f("transactionId", self.transaction_id, kOptional);
    f("batchUniqId", self.batch_uniq_id, kOptional);
    f("recallHandle", self.recall_handle, kOptional);
    f("MSG_REGION", self.msg_region, kOptional);
    f("TRACE_ON", self.trace_on, kOptional);
  }
};

struct ConsumerSendMsgBackRequest {
  PhysicalOffset offset{};  // of the message that failed
  std::string_view group{};
  std::int32_t delay_level = 0;  // negative: to the dead letter queue
  std::string_view origin_msg_id{};
  std::string_view origin_topic{};
  bool unit_mode = false;
  std::optional<std::int32_t> max_reconsume_times{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("offset", self.offset, kRequired);
    f("group", self.group, kRequired);
    f("delayLevel", self.delay_level, kRequired);
    f("originMsgId", self.origin_msg_id, kOptional);
    f("originTopic", self.origin_topic, kOptional);
    f("unitMode", self.unit_mode, kOptional);
    f("maxReconsumeTimes", self.max_reconsume_times, kOptional);
  }
};

// Broker to the client that asked; the body is the reply's. Source: ReplyMessageRequestHeader.java.
struct PushReplyMessageToClientRequest {
  std::string_view producer_group{};
  std::string_view topic{};
  std::string_view default_topic{};
  std::int32_t default_topic_queue_nums = 0;
  QueueId queue_id = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp = 0;
  std::int32_t flag = 0;
  std::string_view properties{};  // of the reply: CORRELATION_ID says which request it answers
  std::int32_t reconsume_times = 0;
  bool unit_mode = false;
  std::string_view born_host{};  // "ip:port" of who replied
  std::string_view store_host{};
  std::int64_t store_timestamp = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("producerGroup", self.producer_group, kRequired);
    f("topic", self.topic, kRequired);
    f("defaultTopic", self.default_topic, kRequired);
    f("defaultTopicQueueNums", self.default_topic_queue_nums, kRequired);
    f("queueId", self.queue_id, kRequired);
    f("sysFlag", self.sys_flag, kRequired);
    f("bornTimestamp", self.born_timestamp, kRequired);
    f("flag", self.flag, kRequired);
    f("properties", self.properties, kOptional);
    f("reconsumeTimes", self.reconsume_times, kOptional);
    f("unitMode", self.unit_mode, kOptional);
    f("bornHost", self.born_host, kRequired);
    f("storeHost", self.store_host, kRequired);
    f("storeTimestamp", self.store_timestamp, kRequired);
  }
};

struct EndTransactionRequest {
  std::string_view topic{};
  std::string_view producer_group{};
  QueueOffset tran_state_table_offset{};  // the half message's place in the half topic's queue
  PhysicalOffset commit_log_offset{};     // of the half message
  std::int32_t commit_or_rollback = 0;    // 8 commit, 12 rollback, 0 not known
  bool from_transaction_check = false;
  std::string_view msg_id{};
  std::string_view transaction_id{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kOptional);
    f("producerGroup", self.producer_group, kRequired);
    f("tranStateTableOffset", self.tran_state_table_offset, kRequired);
    f("commitLogOffset", self.commit_log_offset, kRequired);
    f("commitOrRollback", self.commit_or_rollback, kRequired);
    f("fromTransactionCheck", self.from_transaction_check, kOptional);
    f("msgId", self.msg_id, kOptional);
    f("transactionId", self.transaction_id, kOptional);
  }
};

// Broker to producer; the body is one record.
struct CheckTransactionStateRequest {
  std::string_view topic{};
  QueueOffset tran_state_table_offset{};
  PhysicalOffset commit_log_offset{};
  std::string_view msg_id{};
  std::string_view transaction_id{};
  std::string_view offset_msg_id{};
  std::string_view broker_name{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kOptional);
    f("tranStateTableOffset", self.tran_state_table_offset, kRequired);
    f("commitLogOffset", self.commit_log_offset, kRequired);
    f("msgId", self.msg_id, kOptional);
    f("transactionId", self.transaction_id, kOptional);
    f("offsetMsgId", self.offset_msg_id, kOptional);
    f("bname", self.broker_name, kOptional);
  }
};

}  // namespace rmq::protocol
