#include "replication/election.h"

#include <tuple>
#include <utility>

namespace rmq::replication {
namespace {

bool is_better(const Standing& a, const Standing& b) {
  return std::tie(b.epoch, b.end, a.priority) < std::tie(a.epoch, a.end, b.priority);
}

// The best of those who live and are in `allowed`; of equals the lowest id.
std::optional<ReplicaId> best_of(const ReplicaIds& allowed, const LiveReplicas& alive) {
  auto best = alive.end();
  for (auto it = alive.begin(); it != alive.end(); ++it) {
    if (!allowed.contains(it->first)) continue;
    if (best == alive.end() || is_better(it->second, best->second)) best = it;
  }
  if (best == alive.end()) return std::nullopt;
  return best->first;
}

std::optional<ReplicaId> choose(const BrokerSet& set, const Election& election,
                                const LiveReplicas& alive, const ReplicaIds& allowed) {
  if (!election.designate) return best_of(allowed, alive);
  const bool fits = allowed.contains(*election.designate) && alive.contains(*election.designate) &&
                    set.knows(*election.designate);
  return fits ? election.designate : std::nullopt;
}

Applied<ReignInfo> won(const BrokerSet& set, ReplicaId winner, const ReplicaIds& dead) {
  BrokerSet next = set;
  next.master = winner;
  next.epoch = set.epoch.next();
  if (!set.members.contains(winner)) next.members = {winner};
  next.set_epoch = set.set_epoch.next();
  ReignInfo info = next.info();
  info.dead = dead;
  return changed<ReignInfo>(std::move(next), std::move(info));
}

Applied<ReignInfo> nobody(const BrokerSet& set, const Election& election) {
  if (election.asked_by || election.designate) {
    return refused<ReignInfo>(set, ControllerErrc::ElectionFailed);
  }
  if (!set.master) return refused<ReignInfo>(set, ControllerErrc::MasterNotAvailable);
  BrokerSet next = set;
  next.master.reset();
  return changed<ReignInfo>(std::move(next), fail(ControllerErrc::MasterNotAvailable));
}

}  // namespace

Applied<ReignInfo> elect(const BrokerSet& set, const Election& election,
                         const Electorate& electorate) {
  if (election.asked_by && !set.knows(*election.asked_by)) {
    return refused<ReignInfo>(set, ControllerErrc::NeedsRegistration);
  }
  if (set.epoch == Epoch{}) {
    // Nothing was ever written: whoever asks first.
    return election.asked_by ? won(set, *election.asked_by, {}) : nobody(set, election);
  }
  const bool is_over = election.over == set.epoch;
  if (electorate.master_lives && !is_over &&
      (!election.designate || election.designate == set.master)) {
    return refused<ReignInfo>(set, ControllerErrc::MasterStillExists);
  }
  std::optional<ReplicaId> winner = choose(set, election, electorate.alive, set.members);
  if (!winner && election.unclean) winner = choose(set, election, electorate.alive, set.ids());
  return winner ? won(set, *winner, electorate.dead) : nobody(set, election);
}

}  // namespace rmq::replication
