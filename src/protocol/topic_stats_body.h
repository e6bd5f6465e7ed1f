// Reading what brokers tell about a topic's queues: GET_TOPIC_STATS_INFO (202). Format and writing:
// offset_body.h. Threads: plain values.
#pragma once

#include <string_view>

#include "base/result.h"
#include "protocol/offset_body.h"

namespace rmq::protocol {

// Errors: ProtocolErrc::BodyMalformed.
Result<TopicStats> decode_topic_stats(std::string_view body);

}  // namespace rmq::protocol
