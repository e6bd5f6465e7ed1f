// Why a controller refused a request: RocketMQ's response codes 2000 to 2016, in their order.
#pragma once

#include <cstdint>

#include "base/errc.h"

#define RMQ_CONTROLLER_ERRC(X)                                                      \
  X(FencedMasterEpoch, "the broker set is in another epoch")                        \
  X(FencedSetEpoch, "the SyncStateSet was changed meanwhile")                       \
  X(InvalidMaster, "the sender is not the master")                                  \
  X(InvalidReplicas, "a member is not registered")                                  \
  X(MasterNotAvailable, "there is nobody who may become master")                    \
  X(InvalidRequest, "the request does not fit this broker set")                     \
  X(BrokerNotAlive, "a member is not alive")                                        \
  X(NotLeader, "this controller does not act")                                      \
  X(MetadataNotExist, "no such broker set")                                         \
  X(InvalidClean, "a broker that is alive, or is not registered, is not forgotten") \
  X(NeedsRegistration, "the broker has no id in this set")                          \
  X(MasterStillExists, "the master is alive")                                       \
  X(ElectionFailed, "no candidate can become master")                               \
  X(AlterSetFailed, "not a SyncStateSet")                                           \
  X(BrokerIdInvalid, "the id belongs to another broker")                            \
  X(StoreFailed, "the controller cannot store the change")                          \
  X(LiveInfoNotExist, "the broker was never heard of")
RMQ_DEFINE_ERRC(rmq::replication, ControllerErrc, RMQ_CONTROLLER_ERRC)

namespace rmq::replication {

constexpr std::int32_t response_code(ControllerErrc why) {
  return 1999 + static_cast<std::int32_t>(why);
}

}  // namespace rmq::replication
