// Who becomes master of a broker set, by the rules of RocketMQ's DefaultElectPolicy.java, with the
// offsets compared as 64 bit. Only members of the SyncStateSet are candidates, because they have
// all that is confirmed; unless an operator allows an unclean election, which loses records.
// Threads: pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/units.h"
#include "replication/broker_set.h"

namespace rmq::replication {

// What the last heartbeat of a living replica said.
struct Standing {
  Epoch epoch;
  PhysicalOffset end;
  std::int32_t priority = 0;  // the lower the better
};
using LiveReplicas = std::map<ReplicaId, Standing>;

// Who takes part. A master that this controller has not heard of yet, because it has just started,
// is not among the living, but must not be replaced either.
struct Electorate {
  LiveReplicas alive;
  ReplicaIds dead;  // members that were heard of no more
  bool master_lives = false;
};

struct Election {
  std::optional<ReplicaId> asked_by;   // none: the controller itself
  std::optional<ReplicaId> designate;  // an operator's choice
  // The reign of this epoch is over although its master lives: the process that had it is gone,
  // and a reign does not outlive it. The next one may be anybody's, the old master's too.
  std::optional<Epoch> over;
  bool unclean = false;
};

// The new master has an epoch of its own. The SyncStateSet stays, unlike in RocketMQ, where the
// winner is alone in it: were it dead by then, nobody could follow, although the others have all
// that is confirmed too. The dead leave by the new master's own proposal, which shows that it
// lives. Only the first master, and one that an unclean election made, start alone. Refusals:
// NeedsRegistration, MasterStillExists, ElectionFailed; and MasterNotAvailable, which takes the
// name of a dead master off the record.
Applied<ReignInfo> elect(const BrokerSet& set, const Election& election,
                         const Electorate& electorate);

}  // namespace rmq::replication
