#include "protocol/client_body.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "protocol/body_json.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {

namespace {

// Names in the order of their Java ordinals.
constexpr std::array<std::string_view, 3> kConsumeTypes{"CONSUME_ACTIVELY", "CONSUME_PASSIVELY",
                                                        "CONSUME_POP"};
constexpr std::array<std::string_view, 2> kMessageModels{"BROADCASTING", "CLUSTERING"};
constexpr std::array<std::string_view, 6> kConsumeFromWheres{
    "CONSUME_FROM_LAST_OFFSET",  "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
    "CONSUME_FROM_MIN_OFFSET",   "CONSUME_FROM_MAX_OFFSET",
    "CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP"};
constexpr std::array<std::string_view, 14> kLanguages{
    "JAVA",  "CPP",  "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
    "OTHER", "HTTP", "GO",     "PHP",    "OMS",    "RUST",   "NODE_JS"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

// A Java enum as fastjson reads it: its name in any case, or its ordinal, as a number or as text.
template <class Enum, std::size_t N>
std::optional<Enum> enum_from(const json::Value* value,
                              const std::array<std::string_view, N>& names) {
  if (value == nullptr) return std::nullopt;
  if (const auto ordinal = value->as_int()) {
    if (*ordinal < 0 || *ordinal >= static_cast<std::int64_t>(N)) return std::nullopt;
    return static_cast<Enum>(*ordinal);
  }
  const auto text = value->as_text();
  if (!text) return std::nullopt;
  for (std::size_t i = 0; i < N; ++i) {
    if (equal_ignoring_case(*text, names[i])) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <class Enum, std::size_t N>
void set_enum(json::Value& object, std::string_view key, const std::optional<Enum>& value,
              const std::array<std::string_view, N>& names) {
  if (value) object.set(key, names[static_cast<std::size_t>(*value)]);
}

template <class T, class From>
std::vector<T> list_from(const json::Value& object, std::string_view key, From&& from) {
  std::vector<T> list;
  const json::Value* array = array_member(object, key);
  if (array == nullptr) return list;
  list.reserve(array->items().size());
  for (const json::Value& item : array->items()) {
    if (!item.is_null()) list.push_back(from(item));
  }
  return list;
}

std::vector<std::string> texts_from(const json::Value& object, std::string_view key) {
  return list_from<std::string>(
      object, key, [](const json::Value& item) { return item.as_text().value_or(""); });
}

json::Value to_json(const ConsumerData& data);
json::Value to_json(const ClientConnection& connection);

template <class T>
json::Value array_of(const std::vector<T>& list) {
  json::Value array = json::Value::array();
  for (const T& item : list) {
    if constexpr (std::is_convertible_v<T, json::Value>) {
      array.push_back(item);
    } else {
      array.push_back(to_json(item));
    }
  }
  return array;
}

json::Value to_json(const ConsumerData& data) {
  json::Value object = json::Value::object();
  set_enum(object, "consumeFromWhere", data.consume_from_where, kConsumeFromWheres);
  set_enum(object, "consumeType", data.consume_type, kConsumeTypes);
  object.set("groupName", data.group);
  set_enum(object, "messageModel", data.message_model, kMessageModels);
  object.set("subscriptionDataSet", array_of(data.subscriptions));
  object.set("unitMode", data.unit_mode);
  return object;
}

ConsumerData consumer_data_from(const json::Value& value) {
  ConsumerData data;
  data.group = value.text_or("groupName", "");
  data.consume_type = enum_from<ConsumeType>(value.find("consumeType"), kConsumeTypes);
  data.message_model = enum_from<MessageModel>(value.find("messageModel"), kMessageModels);
  data.consume_from_where =
      enum_from<ConsumeFromWhere>(value.find("consumeFromWhere"), kConsumeFromWheres);
  data.subscriptions =
      list_from<SubscriptionData>(value, "subscriptionDataSet", subscription_data_from);
  data.unit_mode = value.bool_or("unitMode", false);
  return data;
}

json::Value to_json(const ClientConnection& connection) {
  json::Value object = json::Value::object();
  object.set("clientAddr", connection.address);
  object.set("clientId", connection.client_id);
  object.set("language", language_name(connection.language));
  object.set("version", connection.version);
  return object;
}

ClientConnection client_connection_from(const json::Value& value) {
  ClientConnection connection;
  connection.address = value.text_or("clientAddr", "");
  connection.client_id = value.text_or("clientId", "");
  connection.language =
      enum_from<Language>(value.find("language"), kLanguages).value_or(Language::Other);
  connection.version = int32_or(value, "version", 0);
  return connection;
}

}  // namespace

std::string_view to_text(ConsumeType type) { return kConsumeTypes[static_cast<std::size_t>(type)]; }
std::string_view to_text(MessageModel model) {
  return kMessageModels[static_cast<std::size_t>(model)];
}
std::string_view to_text(ConsumeFromWhere where) {
  return kConsumeFromWheres[static_cast<std::size_t>(where)];
}

json::Value to_json(const MessageQueue& queue) {
  json::Value object = json::Value::object();
  object.set("brokerName", queue.broker_name);
  object.set("queueId", queue.queue_id);
  object.set("topic", queue.topic);
  return object;
}

MessageQueue message_queue_from(const json::Value& value) {
  return MessageQueue{.topic = value.text_or("topic", ""),
                      .broker_name = value.text_or("brokerName", ""),
                      .queue_id = int32_or(value, "queueId", 0)};
}

json::Value to_json(const SubscriptionData& subscription) {
  json::Value object = json::Value::object();
  object.set("classFilterMode", subscription.class_filter_mode);
  object.set("codeSet", array_of(subscription.tag_hashes));
  object.set("expressionType", subscription.expression_type);
  object.set("subString", subscription.sub_string);
  object.set("subVersion", subscription.sub_version);
  object.set("tagsSet", array_of(subscription.tags));
  object.set("topic", subscription.topic);
  return object;
}

SubscriptionData subscription_data_from(const json::Value& value) {
  SubscriptionData subscription;
  subscription.topic = value.text_or("topic", "");
  subscription.sub_string = value.text_or("subString", "");
  subscription.expression_type = value.text_or("expressionType", "TAG");
  subscription.tags = texts_from(value, "tagsSet");
  subscription.tag_hashes = list_from<std::int32_t>(value, "codeSet", [](const json::Value& item) {
    return static_cast<std::int32_t>(item.as_int().value_or(0));
  });
  subscription.sub_version = value.int_or("subVersion", 0);
  subscription.class_filter_mode = value.bool_or("classFilterMode", false);
  return subscription;
}

std::string encode_heartbeat(const HeartbeatData& heartbeat) {
  json::Value producers = json::Value::array();
  for (const std::string& group : heartbeat.producer_groups) {
    json::Value producer = json::Value::object();
    producer.set("groupName", group);
    producers.push_back(std::move(producer));
  }
  json::Value object = json::Value::object();
  object.set("clientID", heartbeat.client_id);
  object.set("consumerDataSet", array_of(heartbeat.consumers));
  object.set("heartbeatFingerprint", heartbeat.fingerprint);
  object.set("producerDataSet", std::move(producers));
  object.set("withoutSub", heartbeat.without_sub);
  return json::write(object);
}

Result<HeartbeatData> decode_heartbeat(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  HeartbeatData heartbeat;
  heartbeat.client_id = object.text_or("clientID", "");
  heartbeat.producer_groups =
      list_from<std::string>(object, "producerDataSet",
                             [](const json::Value& item) { return item.text_or("groupName", ""); });
  heartbeat.consumers = list_from<ConsumerData>(object, "consumerDataSet", consumer_data_from);
  heartbeat.fingerprint = int32_or(object, "heartbeatFingerprint", 0);
  heartbeat.without_sub = object.bool_or("withoutSub", false);
  return heartbeat;
}

std::string encode_consumer_list(const std::vector<std::string>& client_ids) {
  json::Value object = json::Value::object();
  object.set("consumerIdList", array_of(client_ids));
  return json::write(object);
}

Result<std::vector<std::string>> decode_consumer_list(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  return texts_from(object, "consumerIdList");
}

std::string encode_lock_batch(const LockBatchBody& body) {
  json::Value object = json::Value::object();
  object.set("clientId", body.client_id);
  object.set("consumerGroup", body.group);
  object.set("mqSet", array_of(body.queues));
  object.set("onlyThisBroker", body.only_this_broker);
  return json::write(object);
}

Result<LockBatchBody> decode_lock_batch(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  LockBatchBody decoded;
  decoded.group = object.text_or("consumerGroup", "");
  decoded.client_id = object.text_or("clientId", "");
  decoded.queues = list_from<MessageQueue>(object, "mqSet", message_queue_from);
  decoded.only_this_broker = object.bool_or("onlyThisBroker", false);
  return decoded;
}

std::string encode_lock_batch_answer(const std::vector<MessageQueue>& owned) {
  json::Value object = json::Value::object();
  object.set("lockOKMQSet", array_of(owned));
  return json::write(object);
}

Result<std::vector<MessageQueue>> decode_lock_batch_answer(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  return list_from<MessageQueue>(object, "lockOKMQSet", message_queue_from);
}

std::string encode_check_client(const CheckClientBody& body) {
  json::Value object = json::Value::object();
  object.set("clientId", body.client_id);
  object.set("group", body.group);
  if (!body.name_space.empty()) object.set("namespace", body.name_space);
  if (body.subscription) object.set("subscriptionData", to_json(*body.subscription));
  return json::write(object);
}

Result<CheckClientBody> decode_check_client(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  CheckClientBody decoded;
  decoded.client_id = object.text_or("clientId", "");
  decoded.group = object.text_or("group", "");
  decoded.name_space = object.text_or("namespace", "");
  if (const json::Value* subscription = object_member(object, "subscriptionData")) {
    decoded.subscription = subscription_data_from(*subscription);
  }
  return decoded;
}

std::string encode_consumer_connection(const ConsumerConnection& body) {
  json::Value table = json::Value::object();
  for (const auto& [topic, subscription] : body.subscriptions) {
    table.set(topic, to_json(subscription));
  }
  json::Value object = json::Value::object();
  object.set("connectionSet", array_of(body.connections));
  set_enum(object, "consumeFromWhere", body.consume_from_where, kConsumeFromWheres);
  set_enum(object, "consumeType", body.consume_type, kConsumeTypes);
  set_enum(object, "messageModel", body.message_model, kMessageModels);
  object.set("subscriptionTable", std::move(table));
  return json::write(object);
}

Result<ConsumerConnection> decode_consumer_connection(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  ConsumerConnection decoded;
  decoded.connections =
      list_from<ClientConnection>(object, "connectionSet", client_connection_from);
  if (const json::Value* table = object_member(object, "subscriptionTable")) {
    for (const json::Member& member : table->members()) {
      decoded.subscriptions.insert_or_assign(member.key_text(),
                                             subscription_data_from(member.value));
    }
  }
  decoded.consume_type = enum_from<ConsumeType>(object.find("consumeType"), kConsumeTypes);
  decoded.message_model = enum_from<MessageModel>(object.find("messageModel"), kMessageModels);
  decoded.consume_from_where =
      enum_from<ConsumeFromWhere>(object.find("consumeFromWhere"), kConsumeFromWheres);
  return decoded;
}

std::string encode_producer_connection(const std::vector<ClientConnection>& connections) {
  json::Value object = json::Value::object();
  object.set("connectionSet", array_of(connections));
  return json::write(object);
}

Result<std::vector<ClientConnection>> decode_producer_connection(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  return list_from<ClientConnection>(object, "connectionSet", client_connection_from);
}

}  // namespace rmq::protocol
