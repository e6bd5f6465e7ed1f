#include "replication/sync_set.h"

#include <algorithm>
#include <string>
#include <utility>

#include "replication/replication_errc.h"

namespace rmq::replication {

SyncSet::SyncSet(SyncSetConfig config, ReignStart reign, SteadyTime now)
    : config_(config),
      self_(reign.self),
      epoch_(reign.epoch),
      start_(reign.start),
      members_(std::move(reign.members)),
      set_epoch_(reign.set_epoch),
      next_proposal_(now),
      known_(members_),
      confirmed_(reign.confirmed),
      acknowledged_(reign.confirmed) {
  known_.add(self_);
  // A member that never connects in this reign is lost some time after the reign began.
  for (const ReplicaId member : members_) {
    if (member == self_) continue;
    Peer& peer = peers_[member];
    peer.disconnected_at = now;
    peer.caught_up_at = now;
    peer.is_dead = reign.dead.contains(member);
  }
}

void SyncSet::learn_replicas(const ReplicaIds& replicas) { known_.add(replicas); }

void SyncSet::on_own_log(PhysicalOffset acknowledged, PhysicalOffset end) {
  own_acked_ = acknowledged;
  own_end_ = end;
  update_confirmed();
}

Result<> SyncSet::on_connected(ReplicaId replica, Connection connection, bool learner,
                               SteadyTime now) {
  if (replica == self_ || !known_.contains(replica)) {
    return fail(ReplicationErrc::UnknownReplica, std::to_string(replica));
  }
  const bool is_new = !peers_.contains(replica);
  Peer& peer = peers_[replica];
  if (connection < peer.connection) return fail(ReplicationErrc::OldConnection);
  peer.connection = connection;
  peer.connected = true;
  peer.is_dead = false;
  peer.learner = learner;
  peer.acked.reset();  // a restart may have lost what was acknowledged before
  peer.end_at_ack = own_end_;
  peer.acked_at = now;
  if (is_new) peer.caught_up_at = now;
  return {};
}

void SyncSet::on_disconnected(ReplicaId replica, Connection connection, SteadyTime now) {
  const auto found = peers_.find(replica);
  if (found == peers_.end() || found->second.connection != connection) return;
  found->second.connected = false;
  found->second.disconnected_at = now;
  if (joining_ == replica) end_joining(now);
}

Result<> SyncSet::on_ack(ReplicaId replica, Connection connection, Epoch epoch,
                         PhysicalOffset offset, SteadyTime now) {
  if (epoch != epoch_) return fail(ReplicationErrc::StaleEpoch);
  const auto found = peers_.find(replica);
  if (found == peers_.end()) {
    return fail(ReplicationErrc::UnknownReplica, std::to_string(replica));
  }
  Peer& peer = found->second;
  if (!peer.connected || peer.connection != connection) {
    return fail(ReplicationErrc::OldConnection);
  }
  if (offset > own_end_) {
    return fail(ReplicationErrc::AckBeyondEnd,
                std::to_string(offset.value) + " of " + std::to_string(own_end_.value));
  }
  if (peer.acked && offset < *peer.acked) {
    return fail(ReplicationErrc::AckWentBack,
                std::to_string(offset.value) + " after " + std::to_string(peer.acked->value));
  }
  // Under load nobody is ever at the very end: having now what was there at the last
  // acknowledgement is as good.
  if (offset >= own_end_) {
    peer.caught_up_at = now;
  } else if (offset >= peer.end_at_ack) {
    peer.caught_up_at = std::max(peer.caught_up_at, peer.acked_at);
  }
  peer.acked = offset;
  peer.end_at_ack = own_end_;
  peer.acked_at = now;
  consider_joining(replica, peer, now);
  update_confirmed();
  return {};
}

void SyncSet::on_set(Epoch epoch, const ReplicaIds& members, SetEpoch set_epoch) {
  if (config_.fixed || epoch != epoch_ || set_epoch <= set_epoch_) return;
  members_ = members;
  set_epoch_ = set_epoch;
  proposed_.clear();
  known_.add(members);
  if (joining_ && members_.contains(*joining_)) joining_.reset();
  update_confirmed();
}

void SyncSet::set_min_in_sync(std::size_t members) {
  config_.min_in_sync = members;
  update_confirmed();
}

std::optional<SetProposal> SyncSet::tick(SteadyTime now) {
  if (config_.fixed) return std::nullopt;
  if (joining_ && now - joining_since_ > config_.join_max) {
    end_joining(now);
    update_confirmed();
  }
  if (now < next_proposal_) return std::nullopt;
  const ReplicaIds wanted = desired(now);
  // With somebody counted who is not wanted any more the same set is proposed again: when its new
  // set epoch is there, the older proposal is refused for good.
  if (wanted == members_ && members_.contains(proposed_)) return std::nullopt;
  proposed_.add(wanted);
  if (joining_ && wanted.contains(*joining_)) joining_.reset();
  next_proposal_ = now + config_.proposal_interval;
  return SetProposal{self_, epoch_, set_epoch_, wanted};
}

Result<> SyncSet::may_write() const {
  const std::size_t count = in_sync_count();
  if (count >= config_.min_in_sync) return {};
  return fail(ReplicationErrc::NotEnoughInSync,
              std::to_string(count) + " of " + std::to_string(config_.min_in_sync) +
                  (config_.fixed ? " connected" : " in the SyncStateSet " + to_string(members_)));
}

ReplicaIds SyncSet::counted() const {
  ReplicaIds ids = members_;
  ids.add(proposed_);
  if (joining_) ids.add(*joining_);
  ids.add(self_);
  return ids;
}

bool SyncSet::is_lost(const Peer& peer, SteadyTime now) const {
  if (peer.is_dead) return true;
  if (!peer.connected && now - peer.disconnected_at > config_.disconnected_max) return true;
  return now - peer.caught_up_at > config_.not_caught_up_max;
}

bool SyncSet::may_join(ReplicaId replica, const Peer& peer) const {
  return peer.connected && !peer.learner && peer.acked && *peer.acked >= start_ &&
         !members_.contains(replica);
}

void SyncSet::consider_joining(ReplicaId replica, const Peer& peer, SteadyTime now) {
  if (config_.fixed || joining_ || proposed_.contains(replica)) return;
  if (!may_join(replica, peer) || now < peer.no_join_before) return;
  if (own_end_ - *peer.acked > config_.join_lag_max) return;
  joining_ = replica;
  joining_since_ = now;
}

void SyncSet::end_joining(SteadyTime now) {
  peers_[*joining_].no_join_before = now + config_.join_max;
  joining_.reset();
}

ReplicaIds SyncSet::desired(SteadyTime now) const {
  ReplicaIds wanted = members_;
  wanted.add(self_);
  for (const auto& [replica, peer] : peers_) {
    if (members_.contains(replica)) {
      if (is_lost(peer, now)) wanted.remove(replica);
    } else if (may_join(replica, peer) && *peer.acked >= confirmed_ && !is_lost(peer, now)) {
      wanted.add(replica);
    }
  }
  return wanted;
}

std::size_t SyncSet::in_sync_count() const {
  if (!config_.fixed) return members_.size();
  std::size_t count = 1;
  for (const ReplicaId member : members_) {
    const auto found = peers_.find(member);
    if (found != peers_.end() && found->second.connected) ++count;
  }
  return count;
}

void SyncSet::update_confirmed() {
  PhysicalOffset lowest = own_acked_;
  for (const ReplicaId replica : counted()) {
    if (replica == self_) continue;
    const auto found = peers_.find(replica);
    if (found == peers_.end() || !found->second.acked) return;
    lowest = std::min(lowest, *found->second.acked);
  }
  confirmed_ = std::max(confirmed_, lowest);
  if (members_.size() >= config_.min_in_sync) acknowledged_ = confirmed_;
}

}  // namespace rmq::replication
