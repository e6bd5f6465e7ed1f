#include "protocol/offset_body.h"

#include <utility>

#include "protocol/body_json.h"

namespace rmq::protocol {

namespace {

json::Value to_json(const QueueOffsetMap& offsets) {
  json::Value table = json::Value::object();
  for (const auto& [queue, offset] : offsets) {
    table.set_object_key(protocol::to_json(queue), offset.value);
  }
  return table;
}

// Passes over entries that mean nothing.
QueueOffsetMap offsets_from(const json::Value& object, std::string_view name) {
  QueueOffsetMap offsets;
  const json::Value* table = object_member(object, name);
  if (table == nullptr) return offsets;
  for (const json::Member& member : table->members()) {
    const MessageQueue queue = message_queue_from(member.key_object());
    const auto offset = member.value.as_int();
    if (offset && !queue.topic.empty()) offsets[queue] = QueueOffset{*offset};
  }
  return offsets;
}

}  // namespace

std::string encode_reset_offset(const QueueOffsetMap& offsets) {
  json::Value object = json::Value::object();
  object.set("offsetTable", to_json(offsets));
  return json::write(object);
}

std::string encode_reset_offset_for_cpp(const QueueOffsetMap& offsets) {
  json::Value list = json::Value::array();
  for (const auto& [queue, offset] : offsets) {
    json::Value entry = json::Value::object();
    entry.set("brokerName", queue.broker_name);
    entry.set("offset", offset.value);
    entry.set("queueId", queue.queue_id);
    entry.set("topic", queue.topic);
    list.push_back(std::move(entry));
  }
  json::Value object = json::Value::object();
  object.set("offsetTable", std::move(list));
  return json::write(object);
}

Result<QueueOffsetMap> decode_reset_offset(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  return offsets_from(object, "offsetTable");
}

std::string encode_consumer_status(const ConsumerStatus& clients) {
  json::Value table = json::Value::object();
  for (const auto& [client, offsets] : clients) table.set(client, to_json(offsets));
  json::Value object = json::Value::object();
  object.set("consumerTable", std::move(table));
  object.set("messageQueueTable", json::Value::object());
  return json::write(object);
}

std::string encode_client_status(const QueueOffsetMap& offsets) {
  json::Value object = json::Value::object();
  object.set("consumerTable", json::Value::object());
  object.set("messageQueueTable", to_json(offsets));
  return json::write(object);
}

Result<QueueOffsetMap> decode_client_status(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  return offsets_from(object, "messageQueueTable");
}

std::string encode_topic_stats(const TopicStats& stats) {
  json::Value table = json::Value::object();
  for (const auto& [queue, of] : stats.queues) {
    json::Value entry = json::Value::object();
    entry.set("lastUpdateTimestamp", of.last_update_ms);
    entry.set("maxOffset", of.max.value);
    entry.set("minOffset", of.min.value);
    table.set_object_key(protocol::to_json(queue), std::move(entry));
  }
  json::Value object = json::Value::object();
  object.set("offsetTable", std::move(table));
  object.set("topicPutTps", stats.put_tps);
  return json::write(object);
}

std::string encode_consume_stats(const ConsumeStats& stats) {
  json::Value table = json::Value::object();
  for (const auto& [queue, of] : stats.queues) {
    json::Value entry = json::Value::object();
    entry.set("brokerOffset", of.broker.value);
    entry.set("consumerOffset", of.consumer.value);
    entry.set("lastTimestamp", of.last_timestamp);
    entry.set("pullOffset", of.pull.value);
    table.set_object_key(protocol::to_json(queue), std::move(entry));
  }
  json::Value object = json::Value::object();
  object.set("consumeTps", stats.consume_tps);
  object.set("offsetTable", std::move(table));
  return json::write(object);
}

Result<ConsumeStats> decode_consume_stats(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  ConsumeStats stats;
  stats.consume_tps = object.double_or("consumeTps", 0);
  const json::Value* table = object_member(object, "offsetTable");
  if (table == nullptr) return stats;
  for (const json::Member& member : table->members()) {
    const MessageQueue queue = message_queue_from(member.key_object());
    if (queue.topic.empty()) continue;
    ConsumeQueueStats& of = stats.queues[queue];
    of.broker = QueueOffset{member.value.int_or("brokerOffset", 0)};
    of.consumer = QueueOffset{member.value.int_or("consumerOffset", 0)};
    of.pull = QueueOffset{member.value.int_or("pullOffset", 0)};
    of.last_timestamp = member.value.int_or("lastTimestamp", 0);
  }
  return stats;
}

}  // namespace rmq::protocol
