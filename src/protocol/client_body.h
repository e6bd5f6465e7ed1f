// Bodies that clients and brokers exchange about clients: heartbeats, subscriptions, member lists,
// queue locks. Format: fastjson's JSON (HeartbeatData.java, SubscriptionData.java,
// ConsumerConnection.java, LockBatchRequestBody.java and their neighbours); members alphabetically,
// no whitespace. Decoders take what the Java, Go and C++ clients send: enums as names in any case
// or as ordinals, numbers as strings, sets left out. Threads: plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/units.h"
#include "protocol/command.h"

namespace rmq::protocol {

// Ordinals are Java's: C++ clients send them.
enum class ConsumeType : std::uint8_t { Actively, Passively, Pop };
enum class MessageModel : std::uint8_t { Broadcasting, Clustering };
enum class ConsumeFromWhere : std::uint8_t {
  LastOffset,
  LastOffsetAndFromMinWhenBootFirst,
  MinOffset,
  MaxOffset,
  FirstOffset,
  Timestamp
};
std::string_view to_text(ConsumeType type);        // "CONSUME_PASSIVELY"
std::string_view to_text(MessageModel model);      // "CLUSTERING"
std::string_view to_text(ConsumeFromWhere where);  // "CONSUME_FROM_LAST_OFFSET"

struct MessageQueue {
  std::string topic;
  std::string broker_name;
  QueueId queue_id = 0;
  friend auto operator<=>(const MessageQueue&, const MessageQueue&) = default;
};
json::Value to_json(const MessageQueue& queue);
MessageQueue message_queue_from(const json::Value& value);

// What a group wants of one topic.
struct SubscriptionData {
  std::string topic;
  std::string sub_string;                // the expression as the user wrote it; "*" is everything
  std::string expression_type = "TAG";   // "TAG" or "SQL92"
  std::vector<std::string> tags;         // of a tag expression; empty for "*"
  std::vector<std::int32_t> tag_hashes;  // Java's hashCode of each tag
  std::int64_t sub_version = 0;          // milliseconds; Go clients send 0
  bool class_filter_mode = false;
  friend bool operator==(const SubscriptionData&, const SubscriptionData&) = default;

  // Is this a tag expression, which needs no filter service? (ExpressionType.isTagType: absent and
  // empty count.)
  bool is_tag_type() const { return expression_type.empty() || expression_type == "TAG"; }
};
json::Value to_json(const SubscriptionData& subscription);
SubscriptionData subscription_data_from(const json::Value& value);

struct ConsumerData {
  std::string group;
  // Absent when the client sent a name that nobody knows, as in Java.
  std::optional<ConsumeType> consume_type;
  std::optional<MessageModel> message_model;
  std::optional<ConsumeFromWhere> consume_from_where;
  std::vector<SubscriptionData> subscriptions;
  bool unit_mode = false;
  friend bool operator==(const ConsumerData&, const ConsumerData&) = default;
};

// HEART_BEAT. A fingerprint other than 0 selects the second form, in which `without_sub` means "the
// subscriptions of my last heartbeat, left out".
struct HeartbeatData {
  std::string client_id;
  std::vector<std::string> producer_groups;
  std::vector<ConsumerData> consumers;
  std::int32_t fingerprint = 0;
  bool without_sub = false;
  friend bool operator==(const HeartbeatData&, const HeartbeatData&) = default;
};
std::string encode_heartbeat(const HeartbeatData& heartbeat);
// Errors of all decoders here: ProtocolErrc::BodyMalformed.
Result<HeartbeatData> decode_heartbeat(std::string_view body);

// Answer of GET_CONSUMER_LIST_BY_GROUP.
std::string encode_consumer_list(const std::vector<std::string>& client_ids);
Result<std::vector<std::string>> decode_consumer_list(std::string_view body);

// LOCK_BATCH_MQ and UNLOCK_BATCH_MQ.
struct LockBatchBody {
  std::string group;
  std::string client_id;
  std::vector<MessageQueue> queues;
  bool only_this_broker = false;
  friend bool operator==(const LockBatchBody&, const LockBatchBody&) = default;
};
std::string encode_lock_batch(const LockBatchBody& body);
Result<LockBatchBody> decode_lock_batch(std::string_view body);
// Answer of LOCK_BATCH_MQ: the queues that the client now owns.
std::string encode_lock_batch_answer(const std::vector<MessageQueue>& owned);
Result<std::vector<MessageQueue>> decode_lock_batch_answer(std::string_view body);

// CHECK_CLIENT_CONFIG.
struct CheckClientBody {
  std::string client_id;
  std::string group;
  std::string name_space;
  std::optional<SubscriptionData> subscription;
  friend bool operator==(const CheckClientBody&, const CheckClientBody&) = default;
};
std::string encode_check_client(const CheckClientBody& body);
Result<CheckClientBody> decode_check_client(std::string_view body);

// One client in the answers of the connection lists.
struct ClientConnection {
  std::string client_id;
  std::string address;  // "ip:port"
  Language language = Language::Java;
  std::int32_t version = 0;
  friend bool operator==(const ClientConnection&, const ClientConnection&) = default;
};

// Answer of GET_CONSUMER_CONNECTION_LIST.
struct ConsumerConnection {
  std::vector<ClientConnection> connections;
  std::map<std::string, SubscriptionData> subscriptions;  // by topic
  std::optional<ConsumeType> consume_type;
  std::optional<MessageModel> message_model;
  std::optional<ConsumeFromWhere> consume_from_where;
  friend bool operator==(const ConsumerConnection&, const ConsumerConnection&) = default;
};
std::string encode_consumer_connection(const ConsumerConnection& body);
Result<ConsumerConnection> decode_consumer_connection(std::string_view body);

// Answer of GET_PRODUCER_CONNECTION_LIST.
std::string encode_producer_connection(const std::vector<ClientConnection>& connections);
Result<std::vector<ClientConnection>> decode_producer_connection(std::string_view body);

}  // namespace rmq::protocol
