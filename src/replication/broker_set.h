// BrokerSet: a controller's record of one broker set, and the changes it knows. Each change is a
// pure function from a value to the next one and the answer; the caller stores the new value by
// compare-and-swap on `version`, and starts over with the value it finds when somebody else was
// faster. So any number of controllers may act.
// The rules are those of RocketMQ's ReplicasInfoManager.java. Elections are in election.h.
// Threads: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "replication/controller_errc.h"
#include "replication/message.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

struct Replica {
  std::string address;
  std::string check_code;  // what its broker chose when it applied for the id

  friend bool operator==(const Replica&, const Replica&) = default;
};

struct BrokerSet {
  std::string cluster;
  std::string name;
  std::map<ReplicaId, Replica> replicas;
  std::optional<ReplicaId> master;
  Epoch epoch;  // of the newest reign, also when there is no master
  ReplicaIds members;
  SetEpoch set_epoch;
  ReplicaId next_id = 1;
  std::uint64_t version = 0;  // grows with each change

  bool knows(ReplicaId id) const { return replicas.contains(id); }
  ReplicaIds ids() const;
  // What brokers are told of it.
  ReignInfo info() const;

  friend bool operator==(const BrokerSet&, const BrokerSet&) = default;
};

// A change that was asked for. A refusal can change something too: an election without a candidate
// takes the dead master's name off the record.
template <class Answer>
struct Applied {
  BrokerSet value;  // to be stored when `changed`
  bool changed = false;
  Result<Answer> answer;
};

// --- Helpers of the changes

template <class Answer>
Applied<Answer> refused(const BrokerSet& set, ControllerErrc why, std::string detail = {}) {
  return {set, false, fail(why, std::move(detail))};
}
template <class Answer>
Applied<Answer> unchanged(const BrokerSet& set, Answer answer) {
  return {set, false, std::move(answer)};
}
template <class Answer>
Applied<Answer> changed(BrokerSet set, Result<Answer> answer) {
  ++set.version;
  return {std::move(set), true, std::move(answer)};
}

// --- Identity

// The id that a new broker should apply for. Changes nothing.
ReplicaId next_broker_id(const BrokerSet& set);

struct IdApplication {
  ReplicaId id = 0;
  std::string check_code;
};
// A broker takes an id; again, with the same check code, when it does not know whether it did.
// An empty set gives 1 only. Refusals: BrokerIdInvalid.
Applied<ReplicaId> apply_broker_id(const BrokerSet& set, const IdApplication& request);

struct Registration {
  ReplicaId id = 0;
  std::string address;
};
// A broker starts: its address is noted, and it is told what its set does.
// Refusals: NeedsRegistration.
Applied<ReignInfo> register_broker(const BrokerSet& set, const Registration& request);

// --- The SyncStateSet

// The master wants another set; `alive`: whom this controller takes for alive.
// Refusals: InvalidMaster, FencedMasterEpoch, FencedSetEpoch, InvalidReplicas, BrokerNotAlive,
// AlterSetFailed.
// Unlike RocketMQ, which refuses it, a proposal of the set that there is gets a new set epoch:
// that is how a master makes sure that an older proposal of its own cannot come true any more.
Applied<ReignInfo> alter_sync_state_set(const BrokerSet& set, const SetProposal& proposal,
                                        const ReplicaIds& alive);

// --- An operator's

struct Cleaning {
  ReplicaIds ids;  // empty: all
  bool even_alive = false;
};
// Forgets replicas for good. Refusals: InvalidClean, MetadataNotExist.
Applied<ReignInfo> clean(const BrokerSet& set, const Cleaning& request, const ReplicaIds& alive);

}  // namespace rmq::replication
