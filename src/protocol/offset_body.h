// Bodies about offsets: what a reset sets, what clients hold, and statistics of topics and groups.
// Format: fastjson's JSON with queues as keys, {{"brokerName":...}:5} (ResetOffsetBody.java,
// ResetOffsetBodyForC.java, GetConsumerStatusBody.java, TopicStatsTable.java, ConsumeStats.java);
// Go clients cut it apart as text, so not a blank may be different. Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/units.h"
#include "protocol/client_body.h"

namespace rmq::protocol {

using QueueOffsetMap = std::map<MessageQueue, QueueOffset>;

// RESET_CONSUMER_CLIENT_OFFSET, and the answer of INVOKE_BROKER_TO_RESET_OFFSET.
std::string encode_reset_offset(const QueueOffsetMap& offsets);
// The same for the C++ client 1.x, which knows no such keys.
std::string encode_reset_offset_for_cpp(const QueueOffsetMap& offsets);
// Errors of all decoders here: ProtocolErrc::BodyMalformed.
Result<QueueOffsetMap> decode_reset_offset(std::string_view body);

// The answer of INVOKE_BROKER_TO_GET_CONSUMER_STATUS: per client id what that client answered to
// GET_CONSUMER_STATUS_FROM_CLIENT.
using ConsumerStatus = std::map<std::string, QueueOffsetMap>;
std::string encode_consumer_status(const ConsumerStatus& clients);
// What one client answers.
std::string encode_client_status(const QueueOffsetMap& offsets);
Result<QueueOffsetMap> decode_client_status(std::string_view body);

// The answer of GET_TOPIC_STATS_INFO.
struct TopicQueueStats {
  std::int64_t last_update_ms = 0;  // store time of the last message; 0: there is none
  QueueOffset min;
  QueueOffset max;
};
struct TopicStats {
  std::map<MessageQueue, TopicQueueStats> queues;
  double put_tps = 0;
};
std::string encode_topic_stats(const TopicStats& stats);

// The answer of GET_CONSUME_STATS.
struct ConsumeQueueStats {
  QueueOffset broker;               // the queue's end
  QueueOffset consumer;             // what the group committed
  QueueOffset pull;                 // how far it has read
  std::int64_t last_timestamp = 0;  // store time of the last consumed message; 0: none, or gone
};
struct ConsumeStats {
  std::map<MessageQueue, ConsumeQueueStats> queues;
  double consume_tps = 0;
};
std::string encode_consume_stats(const ConsumeStats& stats);
Result<ConsumeStats> decode_consume_stats(std::string_view body);

}  // namespace rmq::protocol
