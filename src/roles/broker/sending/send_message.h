// SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320): checks, encodes, and adds to
// the AppendTurn of the data thread. Follows SendMessageProcessor.java. Threads: the connection's
// data thread.
#pragma once

#include "base/result.h"
#include "net/connection.h"
#include "net/service.h"
#include "protocol/command.h"

namespace rmq::roles::broker {

class Broker;

// Codes when refused, with nothing stored: MESSAGE_ILLEGAL (13) for sizes, an empty body, or a
// timed message, or a delayed one in a batch; NO_PERMISSION (16) for system topics and half
// messages; TOPIC_NOT_EXIST (17); INVALID_PARAMETER (29) for names and queue ids;
// SERVICE_NOT_AVAILABLE (14) when the store takes no writes. Stored, but the deadline of the flush
// passed: FLUSH_DISK_TIMEOUT (10).
void on_send_message(Broker& broker, net::ReadTurn& turn, const protocol::CommandView& command);

// At the end of every read turn: hands its sends to the store, now or soon, together with those of
// other connections.
void end_send_turn(Broker& broker, net::ReadTurn& turn);

// Answers one send with an error.
void refuse_send(const Broker& broker, net::Connection& connection, const net::Asked& asked,
                 const Error& why);

}  // namespace rmq::roles::broker
