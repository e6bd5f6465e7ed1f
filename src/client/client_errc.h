// ClientErrc: what a client finds out by itself. What a server refuses has its ResponseCode; a
// connection's trouble is a NetErrc.
#pragma once

#include "base/errc.h"

#define RMQ_CLIENT_ERRC(X)                                         \
  X(NoNameServer, "no name server was given")                      \
  X(NoQueue, "no queue of the topic can be used")                  \
  X(QueueUnknown, "no such queue")                                 \
  X(ClusterUnknown, "no such cluster")                             \
  X(BrokerUnknown, "no such broker")                               \
  X(MessageInvalid, "the message is not valid")                    \
  X(TooManyInFlight, "too many messages are being sent")           \
  X(OffsetOutOfRange, "the queue does not have that offset")       \
  X(ShutDown, "it has been shut down")                             \
  X(GroupInUse, "this client has a consumer of the group already") \
  X(BodyMalformed, "the body cannot be decompressed")              \
  X(AnswerMalformed, "the server's answer is not understood")
RMQ_DEFINE_ERRC(rmq::client, ClientErrc, RMQ_CLIENT_ERRC)
