// Whole tables of offsets, for slaves, and how far topics and groups have come, for tools.
// Threads: all on Lane::Disk: they read messages for their times, or wait for a save.
#pragma once

#include "net/service.h"
#include "protocol/offset.h"
#include "protocol/topic.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// GET_ALL_CONSUMER_OFFSET, GET_ALL_DELAY_OFFSET: the files' content, compact.
Result<Response> on_get_all_consumer_offset(Broker& broker,
                                            const protocol::GetAllConsumerOffsetRequest& request);
Result<Response> on_get_all_delay_offset(Broker& broker,
                                         const protocol::GetAllDelayOffsetRequest& request);
// GET_TOPIC_STATS_INFO: begin, end and last time of each queue. Code: TOPIC_NOT_EXIST (17).
Result<Response> on_get_topic_stats_info(Broker& broker,
                                         const protocol::GetTopicStatsInfoRequest& request);
// GET_CONSUME_STATS: how far a group has come in one topic, in several, or in all where it has
// committed. Topics that do not exist, or that its consumers do not subscribe to, are passed over.
Result<Response> on_get_consume_stats(Broker& broker,
                                      const protocol::GetConsumeStatsRequest& request);

}  // namespace rmq::roles::broker
