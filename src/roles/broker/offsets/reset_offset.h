// The resetting of a group's offsets in a topic. With useServerSideResetOffset the broker sets them
// and tells each consumer by its next pull; without, it only tells the consumers, which then commit
// the new offsets themselves. Source: AdminBrokerProcessor.java, Broker2Client.java.
#pragma once

#include "net/service.h"
#include "protocol/offset.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// INVOKE_BROKER_TO_RESET_OFFSET (Lane::Disk): to a time, to the end (a negative time), or one queue
// to an offset. Codes: TOPIC_NOT_EXIST (17), SUBSCRIPTION_GROUP_NOT_EXIST (26), SYSTEM_ERROR (1):
// an offset out of range, a slave; when it is left to the consumers: CONSUMER_NOT_ONLINE (206),
// SYSTEM_ERROR: a group that never committed.
Result<Response> on_invoke_broker_to_reset_offset(
    Broker& broker, const Caller& caller,
    const protocol::InvokeBrokerToResetOffsetRequest& request);

}  // namespace rmq::roles::broker
