// CONSUMER_SEND_MSG_BACK (36): a consumer could not consume a message and wants it again later.
// Follows AbstractSendMessageProcessor.consumerSendMsgBack. The group's retry policy plays no part,
// as in Java's broker, where only the proxy reads it: the delays are those of the levels.
// Threads: the connection's data thread.
#pragma once

#include "protocol/send.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// Codes: SUBSCRIPTION_GROUP_NOT_EXIST (26); NO_PERMISSION (16), the broker or the retry topic takes
// no messages; SYSTEM_ERROR (1), no message at that offset or it was not stored. Success is stored,
// and on disk under sync flush; a group without retry queues is answered so and nothing is stored.
net::Task<Result<Response>> on_consumer_send_msg_back(Broker& broker, Caller caller,
                                                      protocol::ConsumerSendMsgBackRequest request);

}  // namespace rmq::roles::broker
