// NetErrc: what can go wrong between two processes.
#pragma once

#include "base/errc.h"

#define RMQ_NET_ERRC(X)                        \
  X(TimedOut, "timed out")                     \
  X(ConnectionClosed, "connection closed")     \
  X(ConnectFailed, "cannot connect")           \
  X(NameNotResolved, "host name not resolved") \
  X(AddressInUse, "address already in use")    \
  X(AddressMalformed, "malformed address")
RMQ_DEFINE_ERRC(rmq::net, NetErrc, RMQ_NET_ERRC)
