// What the replicas of a broker set say to each other, as values. The shapes are those of
// RocketMQ's AutoSwitchHAConnection and AutoSwitchHAClient, so that its frames carry them; the
// epoch of a session is the one in the master's handshake, and every session lives in one reign.
// Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/units.h"
#include "replication/epoch_history.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

// slave -> master, first. A learner is never taken into the SyncStateSet.
struct SlaveHandshake {
  ReplicaId replica = 0;
  bool learner = false;
  bool from_last_segment = false;  // an empty slave does without older history
};

// master -> slave, the answer.
struct MasterHandshake {
  PhysicalOffset end;
  Epoch epoch;
  EpochHistory history;
};

// slave -> master: the first one says where to begin, later ones what is acknowledged.
struct Report {
  PhysicalOffset offset;
};

// master -> slave, followed by `bytes` of the log. None of them: a heartbeat.
struct BlockHead {
  PhysicalOffset offset;
  std::int64_t bytes = 0;
  Epoch epoch;  // the reign in which the bytes were written, and where that begins
  PhysicalOffset epoch_start;
  PhysicalOffset confirmed;

  PhysicalOffset end() const { return offset + bytes; }
};

// What a controller says of a broker set, as answer or as notice.
struct ReignInfo {
  std::optional<ReplicaId> master;  // none: nobody may write
  std::string master_address;
  Epoch epoch;
  ReplicaIds members;  // the SyncStateSet
  SetEpoch set_epoch;
  ReplicaIds replicas;  // all that are registered
  // Members whom the controller took for dead when it held the election; known only then.
  ReplicaIds dead;

  friend bool operator==(const ReignInfo&, const ReignInfo&) = default;
};

// master -> controller: the SyncStateSet should be this.
struct SetProposal {
  ReplicaId master = 0;
  Epoch epoch;
  SetEpoch set_epoch;  // the one that it replaces
  ReplicaIds members;
};

}  // namespace rmq::replication
