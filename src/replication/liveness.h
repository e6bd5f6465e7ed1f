// Liveness: what one controller remembers of heartbeats. It is not stored, so controllers differ in
// it, and that is safe: it only decides when an election is tried, not who may win it.
//
// Each replica has a newest connection; that an older one closes says nothing. A closed connection
// alone is no death either: the caller then tries the broker's port, and reports a refusal.
// Threads: one. Crash: starts empty; nobody is called dead before it had time to be heard.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "replication/broker_set.h"
#include "replication/election.h"

namespace rmq::replication {

struct Heartbeat {
  std::string set;
  ReplicaId id = 0;
  std::string address;
  Standing standing;
  PhysicalOffset confirmed;
  std::chrono::milliseconds timeout{1'000};  // silent for so long: dead
};

// A replica of a broker set.
using ReplicaKey = std::pair<std::string, ReplicaId>;

class Liveness {
 public:
  // Numbers of the connections, given by the caller; a larger one is a newer one.
  using Connection = std::uint64_t;

  // A replica that was never heard of counts as dead `first_beat_max` after `now`.
  Liveness(std::chrono::milliseconds first_beat_max, SteadyTime now);

  // A replica has shown itself in another way, before its first heartbeat: it gets `first_beat_max`
  // from now on.
  void expect(const ReplicaKey& replica, SteadyTime now);
  void on_heartbeat(const Heartbeat& beat, Connection connection, SteadyTime now);
  // Whose newest connection this was: those whose port is to be tried.
  std::vector<ReplicaKey> on_connection_closed(Connection connection) const;
  // The port refused, after `connection` had closed; dead at once, unless it was heard on a newer
  // one meanwhile.
  void on_port_refused(const ReplicaKey& replica, Connection connection);
  // Nobody could be heard for `pause`: all have so much more time.
  void postpone(SteadyTime::duration pause);
  // An operator had it forgotten.
  void forget(const ReplicaKey& replica);
  // Who died since the last call.
  std::vector<ReplicaKey> tick(SteadyTime now);

  // Who is known to live. Somebody who was never heard of is neither alive nor dead at first.
  LiveReplicas alive(const std::string& set, SteadyTime now) const;
  ReplicaIds alive_ids(const std::string& set, SteadyTime now) const;
  Electorate electorate(const BrokerSet& set, SteadyTime now) const;
  bool is_dead(const ReplicaKey& replica, SteadyTime now) const;
  // Dead for certain: its port has refused, and nothing was heard since.
  bool has_refused(const ReplicaKey& replica) const;
  // The last heartbeat, of the living and the dead.
  const Heartbeat* last_of(const ReplicaKey& replica) const;

 private:
  struct Entry {
    Heartbeat beat;
    Connection connection = 0;
    SteadyTime deadline;
    bool refused = false;
    bool reported = false;  // as dead
  };

  const std::chrono::milliseconds first_beat_max_;
  SteadyTime unheard_deadline_;
  std::map<ReplicaKey, SteadyTime> expected_;  // of those without an entry
  std::map<ReplicaKey, Entry> entries_;
};

// Whether to try an election without being asked: the set had a master, has none that lives, and
// either somebody may follow, or the record still names a dead one.
bool needs_election(const BrokerSet& set, const Liveness& liveness, bool unclean, SteadyTime now);

}  // namespace rmq::replication
