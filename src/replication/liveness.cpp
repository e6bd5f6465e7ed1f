#include "replication/liveness.h"

#include <algorithm>

namespace rmq::replication {

Liveness::Liveness(std::chrono::milliseconds first_beat_max, SteadyTime now)
    : first_beat_max_(first_beat_max), unheard_deadline_(now + first_beat_max) {}

void Liveness::expect(const ReplicaKey& replica, SteadyTime now) {
  if (!entries_.contains(replica)) expected_[replica] = now + first_beat_max_;
}

void Liveness::on_heartbeat(const Heartbeat& beat, Connection connection, SteadyTime now) {
  Entry& entry = entries_[{beat.set, beat.id}];
  if (connection < entry.connection) return;  // it came late, over a connection that is replaced
  expected_.erase({beat.set, beat.id});
  entry.beat = beat;
  entry.connection = connection;
  entry.deadline = now + beat.timeout;
  entry.refused = false;
  entry.reported = false;
}

std::vector<ReplicaKey> Liveness::on_connection_closed(Connection connection) const {
  std::vector<ReplicaKey> suspects;
  for (const auto& [key, entry] : entries_) {
    if (entry.connection == connection && !entry.refused) suspects.push_back(key);
  }
  return suspects;
}

void Liveness::on_port_refused(const ReplicaKey& replica, Connection connection) {
  const auto found = entries_.find(replica);
  if (found != entries_.end() && found->second.connection == connection) {
    found->second.refused = true;
  }
}

void Liveness::postpone(SteadyTime::duration pause) {
  unheard_deadline_ += pause;
  for (auto& [key, deadline] : expected_) deadline += pause;
  for (auto& [key, entry] : entries_) {
    if (!entry.reported) entry.deadline += pause;
  }
}

void Liveness::forget(const ReplicaKey& replica) {
  entries_.erase(replica);
  expected_.erase(replica);
}

std::vector<ReplicaKey> Liveness::tick(SteadyTime now) {
  std::vector<ReplicaKey> died;
  for (auto& [key, entry] : entries_) {
    if (entry.reported || !is_dead(key, now)) continue;
    entry.reported = true;
    died.push_back(key);
  }
  return died;
}

LiveReplicas Liveness::alive(const std::string& set, SteadyTime now) const {
  LiveReplicas live;
  for (const auto& [key, entry] : entries_) {
    if (key.first == set && !entry.refused && now < entry.deadline) {
      live[key.second] = entry.beat.standing;
    }
  }
  return live;
}

ReplicaIds Liveness::alive_ids(const std::string& set, SteadyTime now) const {
  ReplicaIds ids;
  for (const auto& [id, standing] : alive(set, now)) ids.add(id);
  return ids;
}

Electorate Liveness::electorate(const BrokerSet& set, SteadyTime now) const {
  Electorate electorate;
  electorate.alive = alive(set.name, now);
  for (const ReplicaId member : set.members) {
    if (is_dead({set.name, member}, now)) electorate.dead.add(member);
  }
  electorate.master_lives = set.master && !is_dead({set.name, *set.master}, now);
  return electorate;
}

bool Liveness::is_dead(const ReplicaKey& replica, SteadyTime now) const {
  const auto found = entries_.find(replica);
  if (found == entries_.end()) {
    const auto expected = expected_.find(replica);
    return now >= unheard_deadline_ && (expected == expected_.end() || now >= expected->second);
  }
  return found->second.refused || now >= found->second.deadline;
}

bool Liveness::has_refused(const ReplicaKey& replica) const {
  const auto found = entries_.find(replica);
  return found != entries_.end() && found->second.refused;
}

const Heartbeat* Liveness::last_of(const ReplicaKey& replica) const {
  const auto found = entries_.find(replica);
  return found == entries_.end() ? nullptr : &found->second.beat;
}

bool needs_election(const BrokerSet& set, const Liveness& liveness, bool unclean, SteadyTime now) {
  if (set.epoch == Epoch{}) return false;
  if (set.master && !liveness.is_dead({set.name, *set.master}, now)) return false;
  if (set.master) return true;
  const ReplicaIds allowed = unclean ? set.ids() : set.members;
  const ReplicaIds alive = liveness.alive_ids(set.name, now);
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](ReplicaId id) { return alive.contains(id); });
}

}  // namespace rmq::replication
