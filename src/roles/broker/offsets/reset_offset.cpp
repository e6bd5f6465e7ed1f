#include "roles/broker/offsets/reset_offset.h"

#include <optional>
#include <string>

#include "base/log.h"
#include "protocol/offset_body.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/offsets/offset_search.h"

namespace rmq::roles::broker {

using protocol::InvokeBrokerToResetOffsetRequest;
using protocol::MessageQueue;
using protocol::QueueOffsetMap;
using protocol::ResponseCode;

namespace {

MessageQueue queue_of(const Broker& broker, std::string_view topic, QueueId queue_id) {
  return MessageQueue{
      .topic = std::string(topic), .broker_name = broker.config.broker_name, .queue_id = queue_id};
}

QueueOffset end_of(const Broker& broker, std::string_view topic, QueueId queue_id) {
  return broker.store->visible_end(topic, queue_id);
}

Result<QueueOffset> explicit_offset(const Broker& broker,
                                    const InvokeBrokerToResetOffsetRequest& request) {
  const QueueOffset offset = *request.offset;
  const QueueOffset min = broker.store->min_offset(request.topic, request.queue_id);
  const QueueOffset max = end_of(broker, request.topic, request.queue_id);
  if (offset < min || offset > max + 1) {
    return fail(ResponseCode::SystemError,
                "Target offset " + std::to_string(offset.value) + " not in consume queue range [" +
                    std::to_string(min.value) + "-" + std::to_string(max.value) + "]");
  }
  return offset;
}

Result<Response> reset_here(Broker& broker, const protocol::TopicConfig& topic,
                            const InvokeBrokerToResetOffsetRequest& request) {
  if (!broker.groups.contains(request.group)) {
    return fail(ResponseCode::SubscriptionGroupNotExist,
                "Group " + std::string(request.group) + " does not exist");
  }
  const auto at_time = [&](QueueId queue_id) {
    if (request.timestamp < 0) return end_of(broker, request.topic, queue_id);
    return first_stored_after(*broker.store, request.topic, queue_id, request.timestamp, true);
  };
  QueueOffsetMap offsets;
  if (request.queue_id < 0) {
    for (QueueId id = 0; id < topic.read_queue_nums; ++id)
      offsets[queue_of(broker, request.topic, id)] = at_time(id);
  } else if (request.offset && request.offset->value != -1) {
    RMQ_TRY(const QueueOffset offset, explicit_offset(broker, request));
    offsets[queue_of(broker, request.topic, request.queue_id)] = offset;
  } else {
    offsets[queue_of(broker, request.topic, request.queue_id)] = at_time(request.queue_id);
  }
  if (offsets.empty()) return fail(ResponseCode::SystemError, "No queues to reset.");
  for (const auto& [queue, offset] : offsets) {
    broker.offsets.reset(request.group, queue.topic, queue.queue_id, offset);
    // A pull that is held is told now instead of when a message comes.
    broker.long_polls.wake(broker.store->queue(queue.topic, queue.queue_id));
  }
  return respond_body(protocol::encode_reset_offset(offsets));
}

// Where the consumers are to go. Without force no further than they have come, and a queue that
// the group never committed to is an error.
Result<QueueOffsetMap> offsets_for_clients(const Broker& broker, const protocol::TopicConfig& topic,
                                           const InvokeBrokerToResetOffsetRequest& request) {
  QueueOffsetMap offsets;
  for (QueueId id = 0; id < topic.write_queue_nums; ++id) {
    const auto committed = broker.offsets.find(request.group, request.topic, id);
    if (!committed) {
      return fail(ResponseCode::SystemError,
                  "THe consumer group <" + std::string(request.group) + "> not exist");
    }
    const QueueOffset wanted =
        request.timestamp == -1
            ? end_of(broker, request.topic, id)
            : first_stored_after(*broker.store, request.topic, id, request.timestamp, true);
    offsets[queue_of(broker, request.topic, id)] =
        request.is_force || wanted < *committed ? wanted : *committed;
  }
  return offsets;
}

Result<Response> tell_clients(Broker& broker, const protocol::TopicConfig& topic,
                              const InvokeBrokerToResetOffsetRequest& request) {
  RMQ_TRY(const QueueOffsetMap offsets, offsets_for_clients(broker, topic, request));
  const auto consumers = broker.clients.consumers(request.group);
  if (consumers.empty()) {
    return fail(ResponseCode::ConsumerNotOnline,
                "Consumer not online, so can not reset offset, Group: " +
                    std::string(request.group) + " Topic: " + std::string(request.topic) +
                    " Timestamp: " + std::to_string(request.timestamp));
  }
  protocol::ResetConsumerClientOffsetRequest header;
  header.topic = request.topic;
  header.group = request.group;
  header.timestamp = request.timestamp;
  for (const Client& consumer : consumers) {
    const std::string body = consumer.language == protocol::Language::Cpp
                                 ? protocol::encode_reset_offset_for_cpp(offsets)
                                 : protocol::encode_reset_offset(offsets);
    const ByteView bytes = as_bytes(body);
    if (!consumer.connection) continue;
    consumer.connection->send_oneway(protocol::make_request(
        RequestCode::ResetConsumerClientOffset, header, Bytes(bytes.begin(), bytes.end())));
  }
  return respond_body(protocol::encode_reset_offset(offsets));
}

}  // namespace

Result<Response> on_invoke_broker_to_reset_offset(Broker& broker, const Caller& caller,
                                                  const InvokeBrokerToResetOffsetRequest& request) {
  log::info("offsets", "reset asked for", kv("group", request.group), kv("topic", request.topic),
            kv("queue", request.queue_id), kv("timestamp", request.timestamp),
            kv("peer", caller.connection->peer().text()));
  const bool here = broker.config.use_server_side_reset_offset;
  if (here && broker.is_slave())
    return fail(ResponseCode::SystemError, "Can not reset offset in slave broker");
  const auto topic = broker.topics.find(request.topic);
  if (!topic) {
    const std::string name(request.topic);
    return fail(ResponseCode::TopicNotExist,
                here
                    ? "Topic " + name + " does not exist"
                    : "[reset-offset] reset offset failed, no topic in this broker. topic=" + name);
  }
  return here ? reset_here(broker, *topic, request) : tell_clients(broker, *topic, request);
}

}  // namespace rmq::roles::broker
