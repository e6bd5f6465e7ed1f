// BrokerErrc: what a broker finds wrong with itself, besides its store. What it refuses has a
// ResponseCode.
#pragma once

#include "base/errc.h"

#define RMQ_BROKER_ERRC(X)                                                      \
  X(MetadataLost, "metadata of a store that has messages is missing")           \
  X(NotSupported, "metadata of a kind that cannot be served")                   \
  X(NotSaved, "the change is made, but not on disk yet; saving is tried again") \
  X(NotRegistered, "not registered with any name server")
RMQ_DEFINE_ERRC(rmq::roles::broker, BrokerErrc, RMQ_BROKER_ERRC)
