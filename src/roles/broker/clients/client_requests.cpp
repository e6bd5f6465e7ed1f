#include "roles/broker/clients/client_requests.h"

#include <algorithm>
#include <string>

#include "protocol/client_body.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/topics/topic_names.h"

namespace rmq::roles::broker {

using protocol::ConsumerData;
using protocol::ResponseCode;

namespace {

Client client_of(const Caller& caller, std::string client_id) {
  return Client{.connection_id = caller.connection->id(),
                .connection = caller.connection,
                .address = caller.connection->peer().text(),
                .client_id = std::move(client_id),
                .language = caller.command->language,
                .version = caller.command->version,
                .last_update_ms = 0};
}

// Consumers subscribe to the retry topic of their group and look for its route right away.
void make_retry_topic(Broker& broker, const ConsumerData& data, std::int32_t queues) {
  protocol::TopicConfig retry;
  retry.topic = retry_topic(data.group);
  retry.read_queue_nums = retry.write_queue_nums = queues;
  retry.topic_sys_flag = data.unit_mode ? protocol::kTopicUnitSubscribed : 0;
  retry.order = std::any_of(
      data.subscriptions.begin(), data.subscriptions.end(),
      [&](const auto& subscription) { return broker.topics.is_order_topic(subscription.topic); });
  broker.topics.create_if_absent(retry);
}

// Before the client's start() returns, so that nothing which is sent afterwards is skipped.
void remember_ends(Broker& broker, std::string_view group) {
  const auto wanted = broker.clients.subscription(group);
  if (!wanted || wanted->message_model == protocol::MessageModel::Broadcasting ||
      !from_last_offset(*wanted)) {
    return;
  }
  for (const auto& [topic, subscription] : wanted->topics) {
    if (topic.starts_with(kRetryTopicPrefix)) continue;
    const auto config = broker.topics.find(topic);
    const auto end_of = [&, name = std::string_view(topic)](QueueId id) {
      return config ? broker.store->visible_end(name, id) : QueueOffset{0};
    };
    broker.first_offsets.remember(group, topic, config ? config->read_queue_nums : 0, end_of);
  }
}

// True when the client must send the group's subscriptions.
bool register_consumer(Broker& broker, const protocol::HeartbeatData& heartbeat,
                       const ConsumerData& data, const Client& client) {
  if (broker.config.reject_pull_consumer_enable &&
      data.consume_type == protocol::ConsumeType::Actively) {
    return false;
  }
  const auto group = broker.groups.find_or_create(data.group);
  if (!group) return false;
  make_retry_topic(broker, data, group->retry_queue_nums);
  const bool second_form = heartbeat.fingerprint != 0;
  const auto registered = broker.clients.register_consumer(
      data, client, heartbeat.fingerprint, second_form && heartbeat.without_sub,
      broker.config.notify_consumer_ids_changed_enable &&
          group->notify_consumer_ids_changed_enable);
  if (registered.changed) remember_ends(broker, data.group);
  return registered.send_subscriptions;
}

std::vector<protocol::ClientConnection> connections_of(const std::vector<Client>& clients) {
  std::vector<protocol::ClientConnection> connections;
  for (const Client& client : clients) {
    connections.push_back({.client_id = client.client_id,
                           .address = client.address,
                           .language = client.language,
                           .version = client.version});
  }
  return connections;
}

}  // namespace

Result<Response> on_heart_beat(Broker& broker, const Caller& caller,
                               const protocol::HeartBeatRequest&) {
  RMQ_TRY(const protocol::HeartbeatData heartbeat,
          protocol::decode_heartbeat(as_text(caller.body())));
  const Client client = client_of(caller, heartbeat.client_id);
  bool send_subscriptions = false;
  for (const ConsumerData& data : heartbeat.consumers) {
    if (register_consumer(broker, heartbeat, data, client)) send_subscriptions = true;
  }
  for (const std::string& group : heartbeat.producer_groups) {
    broker.clients.register_producer(group, client);
  }
  return respond(protocol::HeartBeatResponse{
      .is_support_heart_beat_v2 = true,
      .is_sub_change = heartbeat.fingerprint == 0 || send_subscriptions});
}

Result<Response> on_unregister_client(Broker& broker, const Caller& caller,
                                      const protocol::UnregisterClientRequest& request) {
  const ConnectionId connection = caller.connection->id();
  if (!request.producer_group.empty()) {
    broker.clients.unregister_producer(request.producer_group, connection);
  }
  if (!request.consumer_group.empty()) {
    const auto group = broker.groups.find(request.consumer_group);
    broker.clients.unregister_consumer(request.consumer_group, connection,
                                       broker.config.notify_consumer_ids_changed_enable &&
                                           (!group || group->notify_consumer_ids_changed_enable));
  }
  return respond();
}

Result<Response> on_get_consumer_list_by_group(
    Broker& broker, const protocol::GetConsumerListByGroupRequest& request) {
  const auto ids = broker.clients.consumer_ids(request.consumer_group);
  if (ids.empty()) {
    return fail(ResponseCode::SystemError,
                "no consumer for this group, " + std::string(request.consumer_group));
  }
  return respond_body(protocol::encode_consumer_list(ids));
}

Result<Response> on_check_client_config(Broker&, const Caller& caller,
                                        const protocol::CheckClientConfigRequest&) {
  if (caller.body().empty()) return respond();
  RMQ_TRY(const auto body, protocol::decode_check_client(as_text(caller.body())));
  if (!body.subscription || body.subscription->is_tag_type()) return respond();
  return fail(ResponseCode::SystemError,
              "The broker does not support consumer to filter message by " +
                  body.subscription->expression_type);
}

Result<Response> on_get_consumer_connection_list(
    Broker& broker, const protocol::GetConsumerConnectionListRequest& request) {
  const auto subscription = broker.clients.subscription(request.consumer_group);
  if (!subscription) {
    return fail(ResponseCode::ConsumerNotOnline,
                "the consumer group[" + std::string(request.consumer_group) + "] not online");
  }
  protocol::ConsumerConnection body;
  body.connections = connections_of(broker.clients.consumers(request.consumer_group));
  for (const auto& [topic, wanted] : subscription->topics)
    body.subscriptions.emplace(topic, wanted.data);
  body.consume_type = subscription->consume_type;
  body.message_model = subscription->message_model;
  body.consume_from_where = subscription->consume_from_where;
  return respond_body(protocol::encode_consumer_connection(body));
}

Result<Response> on_get_producer_connection_list(
    Broker& broker, const protocol::GetProducerConnectionListRequest& request) {
  const auto producers = broker.clients.producers(request.producer_group);
  if (producers.empty()) {
    return fail(ResponseCode::SystemError,
                "the producer group[" + std::string(request.producer_group) + "] not exist");
  }
  return respond_body(protocol::encode_producer_connection(connections_of(producers)));
}

Result<Response> on_lock_batch_mq(Broker& broker, const Caller& caller,
                                  const protocol::LockBatchMqRequest&) {
  RMQ_TRY(const auto body, protocol::decode_lock_batch(as_text(caller.body())));
  const auto owned = broker.locks.lock(body.group, body.client_id, body.queues);
  return respond_body(protocol::encode_lock_batch_answer(owned));
}

Result<Response> on_unlock_batch_mq(Broker& broker, const Caller& caller,
                                    const protocol::UnlockBatchMqRequest&) {
  RMQ_TRY(const auto body, protocol::decode_lock_batch(as_text(caller.body())));
  broker.locks.unlock(body.group, body.client_id, body.queues);
  return respond();
}

}  // namespace rmq::roles::broker
