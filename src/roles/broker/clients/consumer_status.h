// What the consumers of a group hold, asked of each of them. Source: Broker2Client.java.
// Threads: the control thread.
#pragma once

#include "net/service.h"
#include "net/task.h"
#include "protocol/offset.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// INVOKE_BROKER_TO_GET_CONSUMER_STATUS: asks every consumer of the group, or the one that is named,
// for the offsets it has in the topic (GET_CONSUMER_STATUS_FROM_CLIENT). Who does not answer is
// left out. Code: SYSTEM_ERROR (1) when the group has no consumer.
net::Task<Result<Response>> on_invoke_broker_to_get_consumer_status(
    Broker& broker, Caller caller, protocol::InvokeBrokerToGetConsumerStatusRequest request);

}  // namespace rmq::roles::broker
