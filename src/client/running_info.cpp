#include "client/running_info.h"

#include <utility>

#include "base/json.h"

namespace rmq::client {
namespace {

json::Value queue_info(GroupConsumer& consumer, const AssignedQueue& queue) {
  const ProcessQueue& messages = queue.messages;
  const auto commit = consumer.offsets().find(queue.queue);
  json::Value info = json::Value::object();
  info.set("cachedMsgCount", messages.count());
  info.set("cachedMsgMaxOffset", messages.last().value);
  info.set("cachedMsgMinOffset", messages.first().value);
  info.set("cachedMsgSizeInMiB", messages.bytes() / (1024 * 1024));
  info.set("commitOffset", commit.value_or(QueueOffset{}).value);
  info.set("droped", queue.given_up);  // sic
  info.set("lastConsumeTimestamp", queue.last_consume_ms);
  info.set("lastLockTimestamp", queue.last_lock_ms);
  info.set("lastPullTimestamp", queue.last_pull_ms);
  info.set("locked", queue.locked);
  info.set("transactionMsgCount", 0);
  info.set("transactionMsgMaxOffset", 0);
  info.set("transactionMsgMinOffset", 0);
  info.set("tryUnlockTimes", 0);
  return info;
}

json::Value properties_of(GroupConsumer& consumer, std::size_t threads) {
  std::string name_servers;
  for (const std::string& address : consumer.client().name_servers().addresses()) {
    name_servers += address + ";";
  }
  const GroupOptions& options = consumer.options();
  json::Value properties = json::Value::object();
  properties.set("PROP_CLIENT_VERSION", "V5_3_3");
  properties.set("PROP_CONSUMEORDERLY", options.orderly ? "true" : "false");
  properties.set("PROP_CONSUMER_START_TIMESTAMP", std::to_string(consumer.started_ms()));
  properties.set("PROP_CONSUME_TYPE", protocol::to_text(options.type));
  properties.set("PROP_NAMESERVER_ADDR", name_servers);
  properties.set("PROP_THREADPOOL_CORE_SIZE", std::to_string(threads));
  properties.set("consumerGroup", options.group);
  properties.set("messageModel", protocol::to_text(options.model));
  return properties;
}

}  // namespace

std::string encode_running_info(GroupConsumer& consumer, std::size_t threads) {
  json::Value queues = json::Value::object();
  for (const auto& [name, queue] : consumer.queues()) {
    queues.set_object_key(protocol::to_json(to_protocol(name)), queue_info(consumer, *queue));
  }
  json::Value subscriptions = json::Value::array();
  for (const auto& [topic, data] : consumer.subscriptions()) {
    subscriptions.push_back(protocol::to_json(data));
  }
  json::Value info = json::Value::object();
  info.set("mqPopTable", json::Value::object());
  info.set("mqTable", std::move(queues));
  info.set("properties", properties_of(consumer, threads));
  info.set("statusTable", json::Value::object());
  info.set("subscriptionSet", std::move(subscriptions));
  info.set("userConsumerInfo", json::Value::object());
  return json::write(info);
}

std::string encode_direct_result(const DirectResult& result) {
  json::Value object = json::Value::object();
  object.set("autoCommit", true);
  object.set("consumeResult", result.result);
  object.set("order", result.orderly);
  if (!result.remark.empty()) object.set("remark", result.remark);
  object.set("spentTimeMills", result.spent.count());
  return json::write(object);
}

}  // namespace rmq::client
