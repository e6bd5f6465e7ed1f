// ClientErrc: what a client finds out by itself. What a server refuses has its ResponseCode; a
// connection's trouble is a NetErrc.
#pragma once

#include "base/errc.h"

#define RMQ_CLIENT_ERRC(X)                            \
  X(NoNameServer, "no name server was given")         \
  X(NoQueue, "no queue of the topic can be used")     \
  X(QueueUnknown, "no such queue")                    \
  X(ClusterUnknown, "no such cluster")                \
  X(BrokerUnknown, "no such broker")                  \
  X(MessageInvalid, "the message is not valid")       \
  X(BodyMalformed, "the body cannot be decompressed") \
  X(AnswerMalformed, "the server's answer is not understood")
RMQ_DEFINE_ERRC(rmq::client, ClientErrc, RMQ_CLIENT_ERRC)
