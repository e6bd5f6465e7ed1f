// Why a broker refused what another replica, or a sender, wanted of it.
#pragma once

#include "base/errc.h"

#define RMQ_REPLICATION_ERRC(X)                                                           \
  X(StaleEpoch, "from a reign that is over")                                              \
  X(NewerEpoch, "the peer knows a newer reign")                                           \
  X(EpochsOutOfOrder, "epochs do not grow")                                               \
  X(EpochsDisagree, "the same epoch begins elsewhere in the other log")                   \
  X(NoCommonPoint, "the logs have no epoch in common")                                    \
  X(LogWithoutEpochs, "a log with records but without epochs cannot join: seed it again") \
  X(BehindBegin, "the master has deleted what is asked for: seed the replica again")      \
  X(OffsetOutOfPlace, "not at the end of the log")                                        \
  X(UnexpectedMessage, "not what comes next on this connection")                          \
  X(AckBeyondEnd, "acknowledges what was never written")                                  \
  X(AckWentBack, "acknowledges less than before")                                         \
  X(UnknownReplica, "not a replica of this broker set")                                   \
  X(OldConnection, "the replica has a newer connection")                                  \
  X(NotEnoughInSync, "too few replicas are in sync")                                      \
  X(Malformed, "not a list of epochs")                                                    \
  X(FrameMalformed, "not a frame of the epoch stream")
RMQ_DEFINE_ERRC(rmq::replication, ReplicationErrc, RMQ_REPLICATION_ERRC)
