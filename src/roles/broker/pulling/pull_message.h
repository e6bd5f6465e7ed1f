// PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): the messages of one queue from an offset on, or a
// long poll for them. Follows PullMessageProcessor.java and DefaultPullMessageResultHandler.java.
// Threads: the connection's data thread.
#pragma once

#include "net/connection.h"
#include "net/service.h"
#include "protocol/command.h"

namespace rmq::roles::broker {

class Broker;

// Codes: 0 with records; PULL_NOT_FOUND (19), after the long poll where one was asked for;
// PULL_RETRY_IMMEDIATELY (20); PULL_OFFSET_MOVED (21); refused: NO_PERMISSION (16), TOPIC_NOT_EXIST
// (17), SUBSCRIPTION_* (23-26), INVALID_PARAMETER (29), SYSTEM_ERROR (1) for an expression other
// than a tag expression.
void on_pull_message(Broker& broker, net::ReadTurn& turn, const protocol::CommandView& command);

// Runs a pull that was held once more; answers in any case.
void pull_again(Broker& broker, net::Connection& connection, const protocol::Command& command);

}  // namespace rmq::roles::broker
