// BrokerRole: whether one broker is master, slave or waits (fenced), and what it must do when it
// hears of a reign. Events in, actions out, in the order in which they are to be done.
//
// A broker that has seen epoch E acts on nothing of an epoch below E: it stops at once, stores E
// durably (StoreReign), and acts only when that is done (on_stored). So neither a late notice nor a
// restart can make it serve a master of the past.
// A reign does not outlive its process: what confirmed waited for is gone, and a power cut may have
// taken the end of the log. A broker that starts and finds itself master asks for an election.
// When no controller answers nothing happens here: masters go on in the set they have.
//
// Threads: one. Crash: starts again, waiting, with the epoch that StoreReign had stored.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "replication/message.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

// --- Actions

// No record is accepted, sent or confirmed in this epoch any more; waiting senders are told `why`.
struct EndReign {
  Epoch epoch;
  const char* why = "";
};
// The connection to the master is closed; what came over it and is not in the log yet never will.
struct StopFollowing {};
// On disk, then on_stored(epoch): the newest epoch seen. `begins`: it is the own reign, and the
// epoch history gets its entry at start_of_reign() in the same step.
struct StoreReign {
  Epoch epoch;
  bool begins = false;
};
// The reign begins: a SyncSet is made, slaves may connect.
struct BecomeMaster {
  ReignInfo reign;
};
struct Follow {
  ReignInfo reign;
};
// The controller's newer SyncStateSet for the own reign: SyncSet::on_set, learn_replicas.
struct UpdateSet {
  ReignInfo reign;
};
// Ask a controller what the set does (GET_REPLICA_INFO).
struct AskController {};
// Ask a controller for an election (ELECT_MASTER). `over`: the epoch of the own reign, which ended.
struct AskToElect {
  std::optional<Epoch> over;
};

using RoleAction = std::variant<EndReign, StopFollowing, StoreReign, BecomeMaster, Follow,
                                UpdateSet, AskController, AskToElect>;
using RoleActions = std::vector<RoleAction>;

enum class Role {
  Waiting,  // fenced: nobody is known whom to follow
  Storing,  // fenced: a newer epoch is on its way to the disk
  Master,
  Slave,
  Failed,  // the log cannot be written; until the process ends
};
const char* to_string(Role role);

struct BrokerRoleConfig {
  std::chrono::milliseconds ask_interval{500};     // while waiting
  std::chrono::milliseconds poll_interval{5'000};  // otherwise
};

class BrokerRole {
 public:
  // `seen`: the epoch that was stored last.
  BrokerRole(BrokerRoleConfig config, ReplicaId self, Epoch seen);

  // The controller knows this broker and answered what the set does. Nothing else counts before.
  RoleActions on_registered(const ReignInfo& info);
  // An answer or a notice, also an old one, or one that comes twice.
  RoleActions on_reign(const ReignInfo& info);
  // A message of another replica says that there is a newer reign.
  RoleActions on_peer_epoch(Epoch epoch);
  RoleActions on_stored(Epoch epoch);
  RoleActions on_log_failed();
  RoleActions tick(SteadyTime now);

  Role role() const { return role_; }
  bool registered() const { return registered_; }
  // Whether controllers are to take this broker for alive. One whose log failed falls silent, or it
  // would stay the master on record.
  bool sends_heartbeats() const { return registered_ && role_ != Role::Failed; }
  // The newest one seen; that of the reign that this broker has or follows.
  Epoch epoch() const { return epoch_; }
  std::optional<ReplicaId> master() const;
  bool is_master_of(Epoch epoch) const { return role_ == Role::Master && epoch == epoch_; }
  bool is_slave_in(Epoch epoch) const { return role_ == Role::Slave && epoch == epoch_; }

 private:
  void leave(RoleActions& actions, const char* why);
  void store(RoleActions& actions, bool begins);
  void on_same_epoch(RoleActions& actions, const ReignInfo& info);
  void ask_to_elect(RoleActions& actions, std::optional<Epoch> over);
  void on_known_reign(RoleActions& actions, const ReignInfo& info);

  const BrokerRoleConfig config_;
  const ReplicaId self_;
  Role role_ = Role::Waiting;
  bool registered_ = false;
  Epoch epoch_;
  bool begins_ = false;             // what is being stored is the start of the own reign
  std::optional<ReignInfo> reign_;  // of epoch_, when known
  SteadyTime next_question_;
  // One election is asked for per question: the answer "nobody can become master" is no reason to
  // ask again at once.
  bool may_ask_to_elect_ = true;
};

}  // namespace rmq::replication
