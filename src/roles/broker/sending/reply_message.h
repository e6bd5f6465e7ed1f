// SEND_REPLY_MESSAGE (324) and SEND_REPLY_MESSAGE_V2 (325): the answer to a message that asked for
// one. The broker pushes it to the client that asked, and keeps it in the reply topic.
// Source: ReplyMessageProcessor.java.
// Threads: the connection's data thread.
#pragma once

#include "protocol/send.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// Success: the client that asked has taken the reply. Codes: SYSTEM_ERROR (1), with the reason: it
// is not connected here or did not take it; those of a send. The reply is stored in either case,
// unless storeReplyMessageEnable is off.
net::Task<Result<Response>> on_send_reply_message(Broker& broker, Caller caller,
                                                  protocol::SendMessageRequest request);

}  // namespace rmq::roles::broker
