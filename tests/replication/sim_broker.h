// SimBroker: a broker of a simulation. It owns what a process owns: disk, connections, timers,
// senders that wait. Every decision is made by the classes of src/replication; this does what they
// say, with delays. Its parts: sim_broker.cpp life and roles, sim_broker_master.cpp,
// sim_broker_slave.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "replication/broker_role.h"
#include "replication/feeder.h"
#include "replication/follower.h"
#include "replication/sync_set.h"
#include "tests/replication/invariants.h"
#include "tests/replication/sim_disk.h"
#include "tests/replication/sim_network.h"
#include "tests/replication/sim_options.h"

namespace rmq::sim {

class SimBroker {
 public:
  SimBroker(World& world, Network& network, Invariants& invariants, const Options& options,
            ReplicaId id);

  void start();
  void crash();      // of the process
  void power_cut();  // of the machine
  void fail_log();   // what was written stays, nothing can be written

  SimDisk disk;

  bool has_failed() const { return process_ && process_->role.role() == Role::Failed; }
  bool is_master() const { return process_ && process_->role.role() == Role::Master; }
  Epoch epoch() const { return process_ ? process_->role.epoch() : Epoch{}; }
  PhysicalOffset confirmed() const { return process_ ? process_->confirmed : PhysicalOffset{}; }

 private:
  struct WaitingSend {
    std::int64_t number = 0;
    NodeId producer = 0;
    PhysicalOffset end;  // of the record
    SteadyTime deadline;
  };
  struct Feed {
    Feeder feeder;
    SteadyTime heard_at;
  };
  struct Following {
    std::uint64_t session = 0;
    Follower follower;
    SteadyTime heard_at;
    SteadyTime reported_at;
  };
  struct PendingWrite {
    Records records;
    std::optional<EpochEntry> begins;
  };
  // What is gone with the process.
  struct Process {
    BrokerRole role;
    PhysicalOffset confirmed;
    QueueOffset group_offset;
    // As master.
    std::optional<SyncSet> sync_set;
    std::map<std::uint64_t, Feed> feeds;  // by session
    std::deque<WaitingSend> waiting;
    // As slave.
    std::optional<Following> following;
    SteadyTime next_connect;
    std::deque<PendingWrite> writes;
    std::uint64_t writes_dropped = 0;  // counts how often

    bool flushing = false;
    SteadyTime next_register;
    SteadyTime next_beat;
    SteadyTime next_save;
    SteadyTime next_offset_question;

    explicit Process(BrokerRole start) : role(start) {}
  };

  SteadyTime now() { return world_.clock(id_); }

  // --- Life and roles
  void stop(const char* how);
  void tick();
  void plan_tick();
  void perform(const RoleActions& actions);
  void begin(const StoreReign& action);
  void begin(const EndReign& action);
  void begin(const StopFollowing& action);
  void begin(const BecomeMaster& action);
  void begin(const Follow& action);
  void begin(const UpdateSet& action);
  void begin(const AskController& action);
  void begin(const AskToElect& action);
  void ask_control(const AskControl& question);
  void beat();
  void set_group_offset(QueueOffset offset);
  void flush();
  void on_flushed();

  // --- Messages
  void on_message(NodeId from, const Message& message);
  void on(NodeId from, const ControlSays& answer);
  void on(NodeId from, const InSession& message);
  void on(NodeId from, const AskOffset& question);
  void on(NodeId from, const OffsetIs& answer);
  void on(NodeId from, const Send& request);
  void on(NodeId from, const Pull& request);
  void on(NodeId from, const Commit& request);
  template <class Other>
  void on(NodeId, const Other&) {}

  // --- As master
  FeederLog feeder_log() const;
  void on_in_feed(NodeId from, std::uint64_t session, const InSession& message);
  void open_feed(NodeId from, std::uint64_t session, const SlaveHandshake& handshake);
  void on_report(std::uint64_t session, const Report& report);
  void pump(std::uint64_t session, Feed& feed);
  void pump_all();
  void close_feed(std::uint64_t session);
  void tick_master();
  void on_own_log();
  void on_progress();
  void answer(const WaitingSend& send, SendOutcome outcome);
  PhysicalOffset visible_end() const;

  // --- As slave
  void connect();
  void disconnect();
  void on_in_following(std::uint64_t session, const InSession& message);
  void on_handshake(const MasterHandshake& handshake);
  void cut(PhysicalOffset to, std::uint64_t session);
  void on_block(const Block& block);
  void plan_write();
  void write_next();
  void drop_writes();
  void report(const std::optional<Report>& report);
  void hear_confirmed();
  void tick_slave();

  World& world_;
  Network& network_;
  Invariants& invariants_;
  const Options& options_;
  const ReplicaId id_;
  std::optional<Process> process_;
};

}  // namespace rmq::sim
