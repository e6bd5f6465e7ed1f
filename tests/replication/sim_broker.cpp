#include "tests/replication/sim_broker.h"

#include <utility>
#include <variant>

#include "replication/group_offset.h"

namespace rmq::sim {
namespace {

constexpr Ticks kTick = 20 * kMillisecond;
constexpr std::chrono::milliseconds kBeatInterval{200};
constexpr std::chrono::milliseconds kBeatTimeout{1'000};
constexpr std::chrono::milliseconds kSaveInterval{300};

}  // namespace

SimBroker::SimBroker(World& world, Network& network, Invariants& invariants, const Options& options,
                     ReplicaId id)
    : world_(world), network_(network), invariants_(invariants), options_(options), id_(id) {
  invariants_.watch(id_, disk);
  network_.attach(id_, [this](NodeId from, const Message& message) { on_message(from, message); });
}

void SimBroker::start() {
  if (process_) return;
  world_.set_up(id_);
  // Recovery: the log as it is found decides about the history and the offsets.
  disk.history.truncate_suffix(disk.end());
  process_.emplace(BrokerRole(options_.role, id_, disk.seen));
  world_.note(id_, "starts with %lld records, epoch %d seen",
              static_cast<long long>(disk.end().value), disk.seen.value);
  set_group_offset(cut_offset(disk.saved_offset, disk.queue_end()));
  tick();
}

void SimBroker::stop(const char* how) {
  world_.note(id_, "%s", how);
  drop_writes();
  invariants_.on_reign_end(id_);
  process_.reset();
  world_.set_down(id_);
}

void SimBroker::crash() {
  if (!process_) return;
  stop("its process dies");
  // The kernel closes the connections with the controllers; a machine without power does not.
  for (int i = 0; i < options_.controllers; ++i) {
    network_.send(id_, kFirstController + i, BrokerClosed{world_.life(id_)});
  }
}

void SimBroker::power_cut() {
  if (process_) stop("power cut");
  disk.lose_unflushed(world_.random);
  world_.note(id_, "%lld records survive", static_cast<long long>(disk.end().value));
}

void SimBroker::fail_log() {
  if (!process_) return;
  world_.note(id_, "its log cannot be written any more");
  perform(process_->role.on_log_failed());
}

void SimBroker::plan_tick() {
  world_.at(id_, kTick + world_.random.between(0, kTick / 4), [this] { tick(); });
}

void SimBroker::tick() {
  plan_tick();
  Process& process = *process_;
  if (!process.role.registered()) {
    if (now() >= process.next_register) {
      process.next_register = now() + kBeatInterval;
      ask_control({.question = Question::Register, .election = {}, .proposal = {}});
    }
    return;
  }
  perform(process.role.tick(now()));
  if (process.role.sends_heartbeats() && now() >= process.next_beat) beat();
  if (now() >= process.next_save) {
    process.next_save = now() + kSaveInterval;
    disk.saved_offset = process.group_offset;
  }
  if (process.sync_set) tick_master();
  if (process.role.role() == Role::Slave) tick_slave();
  flush();
}

void SimBroker::beat() {
  process_->next_beat = now() + kBeatInterval;
  Heartbeat heartbeat;
  heartbeat.set = "broker";
  heartbeat.id = id_;
  heartbeat.address = name_of(id_);
  const std::optional<EpochEntry> last = disk.history.last();
  heartbeat.standing = {last ? last->epoch : Epoch{}, disk.end(), 0};
  heartbeat.confirmed = process_->confirmed;
  heartbeat.timeout = kBeatTimeout;
  for (int i = 0; i < options_.controllers; ++i) {
    network_.send(id_, kFirstController + i, Beat{heartbeat, world_.life(id_)});
  }
}

void SimBroker::perform(const RoleActions& actions) {
  for (const RoleAction& action : actions) {
    std::visit([this](const auto& what) { begin(what); }, action);
  }
}

void SimBroker::begin(const StoreReign& action) {
  world_.at(id_, disk.flush_time, [this, action] {
    disk.seen = std::max(disk.seen, action.epoch);
    const bool is_current = process_->role.epoch() == action.epoch;
    if (action.begins && is_current) {
      const PhysicalOffset start = start_of_reign(disk.history, PhysicalOffset{}, disk.end());
      const Result<> begun = disk.history.begin(action.epoch, start);
      if (!begun) throw Violation(name_of(id_) + ": " + begun.error().message());
    }
    perform(process_->role.on_stored(action.epoch));
  });
}

void SimBroker::begin(const EndReign& action) {
  world_.note(id_, "ends its reign %d: %s", action.epoch.value, action.why);
  invariants_.on_reign_end(id_);
  for (const WaitingSend& send : process_->waiting) answer(send, SendOutcome::Unknown);
  process_->waiting.clear();
  for (const auto& [session, feed] : process_->feeds) network_.close(session, id_);
  process_->feeds.clear();
  process_->sync_set.reset();
}

void SimBroker::begin(const StopFollowing&) {
  world_.note(id_, "stops to follow");
  disconnect();
}

void SimBroker::begin(const BecomeMaster& action) {
  const std::optional<EpochEntry> entry = disk.history.last();
  world_.note(id_, "is master in epoch %d from %lld on, set %s", action.reign.epoch.value,
              static_cast<long long>(entry->start.value), to_string(action.reign.members).c_str());
  invariants_.on_reign(id_, action.reign.epoch);
  ReignStart start;
  start.self = id_;
  start.epoch = action.reign.epoch;
  start.start = entry->start;
  start.confirmed = process_->confirmed;
  start.members = action.reign.members;
  start.set_epoch = action.reign.set_epoch;
  start.dead = action.reign.dead;
  process_->sync_set.emplace(options_.sync_set, start, now());
  process_->sync_set->learn_replicas(action.reign.replicas);
  on_own_log();
}

void SimBroker::begin(const Follow& action) {
  world_.note(id_, "follows broker%lld in epoch %d", static_cast<long long>(*action.reign.master),
              action.reign.epoch.value);
  connect();
}

void SimBroker::begin(const UpdateSet& action) {
  SyncSet& set = *process_->sync_set;
  const SetEpoch before = set.set_epoch();
  set.learn_replicas(action.reign.replicas);
  set.on_set(action.reign.epoch, action.reign.members, action.reign.set_epoch);
  if (set.set_epoch() != before) {
    world_.note(id_, "set is %s, set epoch %d", to_string(set.members()).c_str(),
                set.set_epoch().value);
  }
  on_progress();
}

void SimBroker::begin(const AskController&) {
  ask_control({.question = Question::Info, .election = {}, .proposal = {}});
}

void SimBroker::begin(const AskToElect& action) {
  AskControl question;
  question.question = Question::Elect;
  question.election.asked_by = id_;
  question.election.over = action.over;
  ask_control(question);
}

void SimBroker::ask_control(const AskControl& question) {
  const NodeId controller = kFirstController + world_.random.between(0, options_.controllers - 1);
  network_.send(id_, controller, question);
}

void SimBroker::set_group_offset(QueueOffset offset) {
  process_->group_offset = offset;
  invariants_.on_group_offset(id_, offset);
}

void SimBroker::flush() {
  if (process_->flushing || disk.flushed() == disk.end()) return;
  process_->flushing = true;
  world_.at(id_, disk.flush_time, [this, to = disk.end(), cuts = disk.cuts] {
    process_->flushing = false;
    if (disk.cuts == cuts) disk.flush(to);
    on_flushed();
    if (options_.ack_flushed) flush();
  });
}

void SimBroker::on_flushed() {
  if (process_->sync_set) on_own_log();
  if (process_->following) report(process_->following->follower.on_flushed(disk.flushed()));
}

void SimBroker::on_message(NodeId from, const Message& message) {
  if (!process_) return;
  std::visit([this, from](const auto& what) { on(from, what); }, message);
}

void SimBroker::on(NodeId, const ControlSays& answer) {
  if (answer.question == Question::Register && !answer.refused) {
    perform(process_->role.on_registered(answer.info));
  } else {
    perform(process_->role.on_reign(answer.info));
  }
}

void SimBroker::on(NodeId from, const InSession& message) {
  if (process_->following && process_->following->session == message.session) {
    on_in_following(message.session, message);
  } else {
    on_in_feed(from, message.session, message);
  }
}

void SimBroker::on(NodeId from, const AskOffset&) {
  if (is_master()) network_.send(id_, from, OffsetIs{epoch(), process_->group_offset});
}

void SimBroker::on(NodeId, const OffsetIs& answer) {
  if (!process_->role.is_slave_in(answer.epoch) || !process_->following) return;
  const std::optional<PhysicalOffset> shared = process_->following->follower.shared_end();
  if (!shared) return;
  const QueueOffset end{shared->value};
  set_group_offset(merge_offset(process_->group_offset, answer.committed, end));
}

}  // namespace rmq::sim
