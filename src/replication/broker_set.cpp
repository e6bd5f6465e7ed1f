#include "replication/broker_set.h"

#include <algorithm>
#include <utility>

namespace rmq::replication {

ReplicaIds BrokerSet::ids() const {
  ReplicaIds all;
  for (const auto& [id, replica] : replicas) all.add(id);
  return all;
}

ReignInfo BrokerSet::info() const {
  ReignInfo info;
  info.master = master;
  if (master) {
    const auto found = replicas.find(*master);
    if (found != replicas.end()) info.master_address = found->second.address;
  }
  info.epoch = epoch;
  info.members = members;
  info.set_epoch = set_epoch;
  info.replicas = ids();
  return info;
}

ReplicaId next_broker_id(const BrokerSet& set) { return set.next_id; }

Applied<ReplicaId> apply_broker_id(const BrokerSet& set, const IdApplication& request) {
  const bool first = set.replicas.empty() && set.next_id == 1;
  if (request.id < 1 || (first && request.id != 1)) {
    return refused<ReplicaId>(set, ControllerErrc::BrokerIdInvalid, std::to_string(request.id));
  }
  const auto found = set.replicas.find(request.id);
  if (found != set.replicas.end()) {
    if (found->second.check_code == request.check_code) return unchanged(set, request.id);
    return refused<ReplicaId>(set, ControllerErrc::BrokerIdInvalid, "taken");
  }
  BrokerSet next = set;
  next.replicas[request.id] = {.address = {}, .check_code = request.check_code};
  next.next_id = std::max(next.next_id, request.id + 1);
  return changed<ReplicaId>(std::move(next), request.id);
}

Applied<ReignInfo> register_broker(const BrokerSet& set, const Registration& request) {
  const auto found = set.replicas.find(request.id);
  if (found == set.replicas.end()) {
    return refused<ReignInfo>(set, ControllerErrc::NeedsRegistration, std::to_string(request.id));
  }
  if (found->second.address == request.address) return unchanged(set, set.info());
  BrokerSet next = set;
  next.replicas[request.id].address = request.address;
  ReignInfo info = next.info();
  return changed<ReignInfo>(std::move(next), std::move(info));
}

namespace {

// Why the proposal is refused; kNone when it is not.
ControllerErrc refusal_of(const BrokerSet& set, const SetProposal& proposal,
                          const ReplicaIds& alive) {
  if (set.master != proposal.master) return ControllerErrc::InvalidMaster;
  if (set.epoch != proposal.epoch) return ControllerErrc::FencedMasterEpoch;
  if (set.set_epoch != proposal.set_epoch) return ControllerErrc::FencedSetEpoch;
  if (!set.ids().contains(proposal.members)) return ControllerErrc::InvalidReplicas;
  if (!alive.contains(proposal.members)) return ControllerErrc::BrokerNotAlive;
  if (!proposal.members.contains(proposal.master)) return ControllerErrc::AlterSetFailed;
  return ControllerErrc::kNone;
}

}  // namespace

Applied<ReignInfo> alter_sync_state_set(const BrokerSet& set, const SetProposal& proposal,
                                        const ReplicaIds& alive) {
  const ControllerErrc why = refusal_of(set, proposal, alive);
  if (why != ControllerErrc::kNone) {
    return refused<ReignInfo>(set, why, to_string(proposal.members));
  }
  BrokerSet next = set;
  next.members = proposal.members;
  next.set_epoch = set.set_epoch.next();
  ReignInfo info = next.info();
  return changed<ReignInfo>(std::move(next), std::move(info));
}

Applied<ReignInfo> clean(const BrokerSet& set, const Cleaning& request, const ReplicaIds& alive) {
  if (set.replicas.empty()) return refused<ReignInfo>(set, ControllerErrc::MetadataNotExist);
  const ReplicaIds going = request.ids.empty() ? set.ids() : request.ids;
  BrokerSet next = set;
  for (const ReplicaId id : going) {
    const bool is_living = alive.contains(id) && !request.even_alive;
    if (!set.knows(id) || is_living) {
      return refused<ReignInfo>(set, ControllerErrc::InvalidClean, std::to_string(id));
    }
    next.replicas.erase(id);
    next.members.remove(id);
    if (next.master == id) next.master.reset();
  }
  // A set that is smaller than the master knows is safe; its next proposal must not bring back who
  // is gone.
  if (next.members != set.members) next.set_epoch = set.set_epoch.next();
  ReignInfo info = next.info();
  return changed<ReignInfo>(std::move(next), std::move(info));
}

}  // namespace rmq::replication
