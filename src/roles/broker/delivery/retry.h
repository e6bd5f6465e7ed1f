// Retry and dead letters: where a message goes that a consumer group could not consume.
// Source: SendMessageProcessor.handleRetryAndDLQ, AbstractSendMessageProcessor.consumerSendMsgBack.
// Threads: data threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "protocol/group_body.h"
#include "protocol/send.h"
#include "protocol/topic_config.h"

namespace rmq::roles::broker {

class Broker;

// The group's settings; the group is made where that is allowed. Error:
// ResponseCode::SubscriptionGroupNotExist.
Result<protocol::SubscriptionGroupConfig> group_for_retry(Broker& broker, std::string_view group);

// How often the group may get a message again: what the client says, if it is new enough to be
// heard, else the group's setting.
std::int32_t reconsume_times_max(const protocol::SubscriptionGroupConfig& group,
                                 std::int32_t client_version, std::optional<std::int32_t> asked);

// The group's topics, made when absent.
protocol::TopicConfig make_retry_topic(Broker& broker,
                                       const protocol::SubscriptionGroupConfig& group,
                                       bool unit_mode);
protocol::TopicConfig make_dead_letter_topic(Broker& broker, std::string_view group);

// For a send to a topic: the dead letter topic that takes its place, when the topic is a group's
// retry topic and the message has been tried too often, or the group consumes in order. Errors: as
// group_for_retry().
Result<std::optional<protocol::TopicConfig>> dead_letter_topic_for_send(
    Broker& broker, const protocol::SendMessageRequest& request, std::int32_t client_version);

}  // namespace rmq::roles::broker
