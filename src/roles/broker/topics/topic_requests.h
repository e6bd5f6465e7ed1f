// Requests of administrators and slaves about topics.
// Threads: the control thread.
#pragma once

#include "net/service.h"
#include "net/task.h"
#include "protocol/topic.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// UPDATE_AND_CREATE_TOPIC: answered when the topic is on disk and the name servers know it, so that
// a tool finds its route. Codes: INVALID_PARAMETER (29): name, system topic; SYSTEM_ERROR (1):
// attributes, disk.
net::Task<Result<Response>> on_update_and_create_topic(
    Broker& broker, Caller caller, protocol::UpdateAndCreateTopicRequest request);
// DELETE_TOPIC_IN_BROKER: the topic, its messages and how far groups have come in it; answered when
// that is on disk. Name servers are told by who asks (216), as in Java. Codes: INVALID_PARAMETER
// (29): no name, system topic; SYSTEM_ERROR (1): disk.
net::Task<Result<Response>> on_delete_topic_in_broker(Broker& broker, Caller caller,
                                                      protocol::DeleteTopicInBrokerRequest request);
// GET_ALL_TOPIC_CONFIG: the whole table with its data version; paging is for brokers that split it,
// which is off.
Result<Response> on_get_all_topic_config(Broker& broker,
                                         const protocol::GetAllTopicConfigRequest& request);
// GET_TOPIC_CONFIG. Code: TOPIC_NOT_EXIST (17).
Result<Response> on_get_topic_config(Broker& broker,
                                     const protocol::GetTopicConfigRequest& request);

}  // namespace rmq::roles::broker
