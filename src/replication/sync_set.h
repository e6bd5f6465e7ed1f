// SyncSet: what a master knows of its SyncStateSet in one reign: who is in it, how far each replica
// has acknowledged in this epoch, and from that the confirmed offset.
//
// Confirmed is the lowest acknowledged offset over all that count: the members (the master among
// them), everybody whom a proposal under this set epoch would add, and one newcomer that is about
// to be proposed. A proposal without an answer may still be accepted, also after one that was
// refused: only a state with a newer set epoch ends it. So whoever the controller may elect next
// has all that is confirmed.
//
// Time comes in as arguments; tick() wants to be called every few hundred milliseconds. Without a
// controller (`fixed`) the set never changes. Threads: one. Crash: nothing of it is kept; a reign
// ends with its process.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "replication/message.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

struct SyncSetConfig {
  bool fixed = false;
  std::size_t min_in_sync = 1;
  std::chrono::milliseconds not_caught_up_max{15'000};  // then a member is to leave
  std::chrono::milliseconds disconnected_max{1'000};    // likewise
  std::chrono::milliseconds proposal_interval{1'000};   // at least, between two proposals
  // A newcomer this close to the end holds confirmed back until it has caught up; if it does not
  // in time, others get their turn.
  std::int64_t join_lag_max = 1024 * 1024;
  std::chrono::milliseconds join_max{2'000};
};

// How a reign starts.
struct ReignStart {
  ReplicaId self = 0;
  Epoch epoch;
  PhysicalOffset start;      // of the epoch
  PhysicalOffset confirmed;  // known before
  ReplicaIds members;
  SetEpoch set_epoch;
  ReplicaIds dead;  // members for whose connection there is no point in waiting
};

class SyncSet {
 public:
  // Numbers of the connections, given by the caller; a larger one is a newer one.
  using Connection = std::uint64_t;

  SyncSet(SyncSetConfig config, ReignStart reign, SteadyTime now);

  // --- What happens

  // The replicas of the broker set, from registration.
  void learn_replicas(const ReplicaIds& replicas);
  // The own log: what of it counts as acknowledged (appended, or flushed where that is asked for),
  // and where it ends.
  void on_own_log(PhysicalOffset acknowledged, PhysicalOffset end);
  // A replica connected and made its handshake. Errors: UnknownReplica, OldConnection.
  Result<> on_connected(ReplicaId replica, Connection connection, bool learner, SteadyTime now);
  void on_disconnected(ReplicaId replica, Connection connection, SteadyTime now);
  // Errors, upon which the connection is to be closed: StaleEpoch, UnknownReplica, OldConnection,
  // AckBeyondEnd, AckWentBack.
  Result<> on_ack(ReplicaId replica, Connection connection, Epoch epoch, PhysicalOffset offset,
                  SteadyTime now);
  // The controller's word. Counts when it is of this epoch and newer than what is known.
  void on_set(Epoch epoch, const ReplicaIds& members, SetEpoch set_epoch);
  // From now on.
  void set_min_in_sync(std::size_t members);
  // What to propose now, if anything.
  std::optional<SetProposal> tick(SteadyTime now);

  // --- What is true

  PhysicalOffset confirmed() const { return confirmed_; }
  // Up to here senders may be told that enough replicas have it: what was confirmed while
  // min_in_sync members were in the set. Never above confirmed.
  PhysicalOffset acknowledged() const { return acknowledged_; }
  // Errors: NotEnoughInSync, with the reason.
  Result<> may_write() const;

  const ReplicaIds& members() const { return members_; }
  SetEpoch set_epoch() const { return set_epoch_; }
  // All whose acknowledgement confirmed waits for.
  ReplicaIds counted() const;

 private:
  struct Peer {
    Connection connection = 0;
    bool connected = false;
    bool learner = false;
    bool is_dead = false;                 // says the controller, and it has not connected since
    std::optional<PhysicalOffset> acked;  // in this epoch
    PhysicalOffset end_at_ack;            // the own end then
    SteadyTime acked_at;
    SteadyTime caught_up_at;  // when it last had all that there was a moment before
    SteadyTime disconnected_at;
    SteadyTime no_join_before;
  };

  bool is_lost(const Peer& peer, SteadyTime now) const;
  bool may_join(ReplicaId replica, const Peer& peer) const;
  void consider_joining(ReplicaId replica, const Peer& peer, SteadyTime now);
  void end_joining(SteadyTime now);
  ReplicaIds desired(SteadyTime now) const;
  std::size_t in_sync_count() const;
  void update_confirmed();

  SyncSetConfig config_;
  const ReplicaId self_;
  const Epoch epoch_;
  const PhysicalOffset start_;

  ReplicaIds members_;
  SetEpoch set_epoch_;
  ReplicaIds proposed_;  // in any proposal under set_epoch_
  std::optional<ReplicaId> joining_;
  SteadyTime joining_since_;
  SteadyTime next_proposal_;

  ReplicaIds known_;
  std::map<ReplicaId, Peer> peers_;
  PhysicalOffset own_acked_;
  PhysicalOffset own_end_;
  PhysicalOffset confirmed_;
  PhysicalOffset acknowledged_;
};

}  // namespace rmq::replication
