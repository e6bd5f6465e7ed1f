#include "roles/broker/offsets/offset_tables.h"

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/offset_body.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/offsets/offset_search.h"
#include "roles/broker/replication/table_state.h"

namespace rmq::roles::broker {

using protocol::MessageQueue;
using protocol::ResponseCode;

namespace {

MessageQueue queue_of(const Broker& broker, std::string_view topic, QueueId queue_id) {
  return MessageQueue{
      .topic = std::string(topic), .broker_name = broker.config.broker_name, .queue_id = queue_id};
}

// 0 when the message before `next` is gone or never was.
std::int64_t time_before(const Broker& broker, std::string_view topic, QueueId queue_id,
                         QueueOffset next) {
  if (next <= QueueOffset{0}) return 0;
  return store_time(*broker.store, topic, queue_id, next - 1).value_or(0);
}

std::vector<std::string> topics_wanted(const Broker& broker,
                                       const protocol::GetConsumeStatsRequest& request) {
  std::vector<std::string> topics;
  std::string_view list = request.topic_list;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(';'), list.size());
    if (end > 0) topics.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  if (!topics.empty()) return topics;  // whatever the group subscribes to
  if (request.topic.empty()) {
    topics = broker.offsets.topics_of(request.consumer_group);
  } else {
    topics.emplace_back(request.topic);
  }
  const auto wanted = broker.clients.subscription(request.consumer_group);
  if (wanted && !wanted->topics.empty()) {
    std::erase_if(topics, [&](const std::string& topic) { return wanted->find(topic) == nullptr; });
  }
  return topics;
}

protocol::ConsumeQueueStats consume_stats_of(const Broker& broker, std::string_view group,
                                             std::string_view topic, QueueId queue_id) {
  protocol::ConsumeQueueStats stats;
  stats.broker = broker.store->visible_end(topic, queue_id);
  stats.consumer = broker.offsets.find(group, topic, queue_id).value_or(QueueOffset{0});
  const auto reader = broker.readers.find(group, topic, queue_id);
  stats.pull = reader ? std::max(stats.consumer, reader->next) : stats.consumer;
  stats.last_timestamp = time_before(broker, topic, queue_id, stats.consumer);
  return stats;
}

}  // namespace

Result<Response> on_get_all_consumer_offset(Broker& broker,
                                            const protocol::GetAllConsumerOffsetRequest& request) {
  const TableState state(broker, broker.offsets.changes());
  if (state.is_known(request.known)) return state.unchanged();
  Response response = respond_body(broker.offsets.encode_compact());
  state.add_to(response, request.known);
  return response;
}

Result<Response> on_get_all_delay_offset(Broker& broker,
                                         const protocol::GetAllDelayOffsetRequest& request) {
  const DelayProgress::ForSlave progress = broker.delay_progress.for_slave();
  const TableState state(broker, progress.changes);
  if (state.is_known(request.known)) return state.unchanged();
  Response response = respond_body(progress.text);
  state.add_to(response, request.known, progress.position, progress.log_end);
  return response;
}

Result<Response> on_get_topic_stats_info(Broker& broker,
                                         const protocol::GetTopicStatsInfoRequest& request) {
  const auto topic = broker.topics.find(request.topic);
  if (!topic) {
    return fail(ResponseCode::TopicNotExist, "topic[" + std::string(request.topic) + "] not exist");
  }
  protocol::TopicStats stats;
  const QueueId queues = std::max(topic->write_queue_nums, topic->read_queue_nums);
  for (QueueId id = 0; id < queues; ++id) {
    const QueueOffset end = broker.store->visible_end(request.topic, id);
    stats.queues[queue_of(broker, request.topic, id)] = {
        .last_update_ms = time_before(broker, request.topic, id, end),
        .min = broker.store->min_offset(request.topic, id),
        .max = end};
  }
  return respond_body(protocol::encode_topic_stats(stats));
}

Result<Response> on_get_consume_stats(Broker& broker,
                                      const protocol::GetConsumeStatsRequest& request) {
  protocol::ConsumeStats stats;
  for (const std::string& name : topics_wanted(broker, request)) {
    const auto topic = broker.topics.find(name);
    if (!topic) continue;
    for (QueueId id = 0; id < topic->read_queue_nums; ++id) {
      stats.queues[queue_of(broker, name, id)] =
          consume_stats_of(broker, request.consumer_group, name, id);
    }
  }
  return respond_body(protocol::encode_consume_stats(stats));
}

}  // namespace rmq::roles::broker
