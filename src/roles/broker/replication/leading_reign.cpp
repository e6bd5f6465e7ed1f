#include "roles/broker/replication/leading_reign.h"

#include <chrono>
#include <utility>

#include "replication/replication_errc.h"

namespace rmq::roles::broker {
namespace {

using replication::ReplicationErrc;

SteadyTime now() { return std::chrono::steady_clock::now(); }

tl::unexpected<Error> ended() {
  return fail(ReplicationErrc::StaleEpoch, "this broker does not lead any more");
}

}  // namespace

LeadingReign::LeadingReign(replication::SyncSetConfig config, replication::ReignStart start,
                           replication::EpochHistory history, storage::MessageStore& store,
                           Watermark<ConfirmedOffset>& acknowledged, bool ack_flushed)
    : epoch_(start.epoch),
      history_(std::move(history)),
      store_(store),
      acknowledged_(acknowledged),
      ack_flushed_(ack_flushed),
      set_(config, start, now()),
      told_acknowledged_(start.confirmed.value),
      confirmed_(ConfirmedOffset{start.confirmed.value}) {
  note_own_log();
}

Result<> LeadingReign::connect(const replication::SlaveHandshake& slave, Connection connection,
                               std::string address) {
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return ended();
    RMQ_CHECK(set_.on_connected(slave.replica, connection, slave.learner, now()));
    Session session;
    session.peer.replica = slave.replica;
    session.peer.address = std::move(address);
    session.peer.learner = slave.learner;
    sessions_[connection] = std::move(session);
    reached = take_own_log();
  }
  publish(reached);
  return {};
}

void LeadingReign::disconnect(ReplicaId replica, Connection connection) {
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return;
    sessions_.erase(connection);
    set_.on_disconnected(replica, connection, now());
    reached = take_own_log();
  }
  publish(reached);
}

void LeadingReign::note_sent(Connection connection, PhysicalOffset end) {
  MutexLock lock(mutex_);
  if (const auto found = sessions_.find(connection); found != sessions_.end()) {
    found->second.peer.sent = end;
  }
}

Result<> LeadingReign::ack(ReplicaId replica, Connection connection, PhysicalOffset offset) {
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return ended();
    // What was sent, and can be acknowledged, is in the own log as it is now.
    (void)take_own_log();
    RMQ_CHECK(set_.on_ack(replica, connection, epoch_, offset, now()));
    if (const auto found = sessions_.find(connection); found != sessions_.end()) {
      found->second.peer.acked = offset;
    }
    reached = take_own_log();
  }
  publish(reached);
  return {};
}

void LeadingReign::note_own_log() {
  // Together with the one in take_own_log(): either this sees that the own log matters, or that
  // sees the log as it is now.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!own_is_last_.load(std::memory_order_relaxed)) return;
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return;
    reached = take_own_log();
  }
  publish(reached);
}

void LeadingReign::on_set(const replication::ReignInfo& info) {
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return;
    set_.learn_replicas(info.replicas);
    set_.on_set(info.epoch, info.members, info.set_epoch);
    reached = take_own_log();
  }
  publish(reached);
}

void LeadingReign::set_min_in_sync(std::size_t members) {
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return;
    set_.set_min_in_sync(members);
    reached = take_own_log();
  }
  publish(reached);
}

std::optional<replication::SetProposal> LeadingReign::tick() {
  std::optional<replication::SetProposal> proposal;
  Reached reached;
  {
    MutexLock lock(mutex_);
    if (over_) return std::nullopt;
    (void)take_own_log();
    proposal = set_.tick(now());
    reached = take_own_log();
  }
  publish(reached);
  return proposal;
}

void LeadingReign::sample() {
  MutexLock lock(mutex_);
  for (auto& [connection, session] : sessions_) {
    session.peer.sent_in_second =
        session.peer.sent - std::exchange(session.sampled, session.peer.sent);
  }
}

void LeadingReign::end() {
  {
    MutexLock lock(mutex_);
    over_ = true;
    sessions_.clear();
    may_write_.store(false, std::memory_order_release);
  }
  own_is_last_.store(false, std::memory_order_relaxed);
  MutexLock publishing(publish_mutex_);
  silent_ = true;
}

Result<> LeadingReign::may_write() const {
  if (may_write_.load(std::memory_order_acquire)) return {};
  MutexLock lock(mutex_);
  if (over_) return ended();
  return set_.may_write();
}

replication::ReplicaIds LeadingReign::members() const {
  MutexLock lock(mutex_);
  return set_.members();
}

replication::SetEpoch LeadingReign::set_epoch() const {
  MutexLock lock(mutex_);
  return set_.set_epoch();
}

bool LeadingReign::has_peers() const {
  MutexLock lock(mutex_);
  return !sessions_.empty();
}

std::vector<LeadingReign::Peer> LeadingReign::peers() const {
  MutexLock lock(mutex_);
  std::vector<Peer> peers;
  for (const auto& [connection, session] : sessions_) {
    peers.push_back(session.peer);
    peers.back().in_set = set_.members().contains(session.peer.replica);
  }
  return peers;
}

LeadingReign::Reached LeadingReign::take_own_log() {
  const auto end_of = [this] { return PhysicalOffset{store_.appended().value().value}; };
  const auto acknowledged_of = [this, end_of] {
    return ack_flushed_ ? PhysicalOffset{store_.flushed().value().value} : end_of();
  };
  PhysicalOffset own;
  bool own_is_last = false;
  do {
    // In this order: what is flushed is appended.
    own = acknowledged_of();
    set_.on_own_log(own, end_of());
    own_is_last = set_.confirmed() >= own;
    own_is_last_.store(own_is_last, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  } while (own_is_last && acknowledged_of() > own);
  may_write_.store(set_.may_write().has_value(), std::memory_order_release);
  return {ConfirmedOffset{set_.confirmed().value}, ConfirmedOffset{set_.acknowledged().value}};
}

// Several threads may come here in another order than they changed the set in: the highest counts.
void LeadingReign::publish(const Reached& reached) {
  const auto is_news = [this](ConfirmedOffset acknowledged) {
    return acknowledged.value > told_acknowledged_.load(std::memory_order_acquire);
  };
  if (reached.confirmed <= confirmed_.value() && !is_news(reached.acknowledged)) return;
  MutexLock publishing(publish_mutex_);
  if (silent_) return;
  if (reached.confirmed > confirmed_.value()) {
    store_.confirm(reached.confirmed);
    confirmed_.advance(reached.confirmed);
  }
  if (is_news(reached.acknowledged)) {
    told_acknowledged_.store(reached.acknowledged.value, std::memory_order_release);
    acknowledged_.advance(reached.acknowledged);
  }
}

}  // namespace rmq::roles::broker
