#include "protocol/topic_stats_body.h"

#include "protocol/body_json.h"

namespace rmq::protocol {

Result<TopicStats> decode_topic_stats(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  TopicStats stats;
  stats.put_tps = object.double_or("topicPutTps", 0);
  const json::Value* table = object_member(object, "offsetTable");
  if (table == nullptr) return stats;
  for (const json::Member& member : table->members()) {
    const MessageQueue queue = message_queue_from(member.key_object());
    if (queue.topic.empty()) continue;
    TopicQueueStats& of = stats.queues[queue];
    of.last_update_ms = member.value.int_or("lastUpdateTimestamp", 0);
    of.min = QueueOffset{member.value.int_or("minOffset", 0)};
    of.max = QueueOffset{member.value.int_or("maxOffset", 0)};
  }
  return stats;
}

}  // namespace rmq::protocol
