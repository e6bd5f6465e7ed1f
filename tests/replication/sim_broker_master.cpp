// SimBroker as master.
#include <algorithm>
#include <utility>
#include <vector>

#include "replication/group_offset.h"
#include "tests/replication/sim_broker.h"

namespace rmq::sim {
namespace {

constexpr std::chrono::milliseconds kSilenceMax{1'000};
constexpr std::chrono::milliseconds kSendTimeout{1'000};
constexpr std::int64_t kPullMax = 20;

}  // namespace

FeederLog SimBroker::feeder_log() const {
  return {disk.history, PhysicalOffset{}, PhysicalOffset{}, disk.end(), process_->confirmed};
}

void SimBroker::on_in_feed(NodeId from, std::uint64_t session, const InSession& message) {
  const auto* handshake = std::get_if<SlaveHandshake>(&message.what);
  if (handshake != nullptr) {
    open_feed(from, session, *handshake);
    return;
  }
  const auto found = process_->feeds.find(session);
  if (found == process_->feeds.end()) return;
  found->second.heard_at = now();
  if (const auto* report = std::get_if<Report>(&message.what)) on_report(session, *report);
  if (std::holds_alternative<Closed>(message.what)) close_feed(session);
}

void SimBroker::open_feed(NodeId from, std::uint64_t session, const SlaveHandshake& handshake) {
  if (!process_->sync_set) {
    network_.close(session, id_);
    return;
  }
  const Result<> known =
      process_->sync_set->on_connected(handshake.replica, session, handshake.learner, now());
  Feeder feeder(options_.feeder, epoch());
  Result<MasterHandshake> ours = feeder.on_handshake(handshake, feeder_log());
  if (!known || !ours) {
    network_.close(session, id_);
    return;
  }
  world_.note(id_, "broker%lld connects", static_cast<long long>(from));
  process_->feeds.emplace(session, Feed{feeder, now()});
  network_.send(session, id_, InSession{session, std::move(*ours)});
}

void SimBroker::on_report(std::uint64_t session, const Report& report) {
  Feed& feed = process_->feeds.at(session);
  const ReplicaId replica = feed.feeder.slave().replica;
  Result<> taken = feed.feeder.on_report(report, feeder_log());
  if (taken) {
    taken = process_->sync_set->on_ack(replica, session, epoch(), report.offset, now());
  }
  if (!taken) {
    world_.note(id_, "broker%lld reports %lld: %s", static_cast<long long>(replica),
                static_cast<long long>(report.offset.value), taken.error().message().c_str());
    close_feed(session);
    return;
  }
  on_progress();
  pump(session, feed);
}

void SimBroker::pump(std::uint64_t session, Feed& feed) {
  while (const std::optional<BlockHead> head = feed.feeder.next(feeder_log(), now())) {
    Records records = disk.read(head->offset, head->end());
    network_.send(session, id_, InSession{session, Block{*head, std::move(records)}});
  }
}

void SimBroker::pump_all() {
  for (auto& [session, feed] : process_->feeds) pump(session, feed);
}

void SimBroker::close_feed(std::uint64_t session) {
  const auto found = process_->feeds.find(session);
  if (found == process_->feeds.end()) return;
  const ReplicaId replica = found->second.feeder.slave().replica;
  world_.note(id_, "broker%lld disconnects", static_cast<long long>(replica));
  process_->sync_set->on_disconnected(replica, session, now());
  process_->feeds.erase(found);
  network_.close(session, id_);
}

void SimBroker::tick_master() {
  std::vector<std::uint64_t> silent;
  for (const auto& [session, feed] : process_->feeds) {
    if (now() - feed.heard_at > kSilenceMax) silent.push_back(session);
  }
  for (const std::uint64_t session : silent) close_feed(session);
  if (const std::optional<SetProposal> proposal = process_->sync_set->tick(now())) {
    world_.note(id_, "proposes %s instead of %s", to_string(proposal->members).c_str(),
                to_string(process_->sync_set->members()).c_str());
    ask_control({.question = Question::Alter, .election = {}, .proposal = *proposal});
  }
  on_progress();
  while (!process_->waiting.empty() && process_->waiting.front().deadline < now()) {
    answer(process_->waiting.front(), SendOutcome::Unknown);
    process_->waiting.pop_front();
  }
  pump_all();
}

void SimBroker::on_own_log() {
  process_->sync_set->on_own_log(options_.ack_flushed ? disk.flushed() : disk.end(), disk.end());
  on_progress();
}

void SimBroker::on_progress() {
  const SyncSet& set = *process_->sync_set;
  if (set.confirmed() > process_->confirmed) {
    process_->confirmed = set.confirmed();
    world_.note(id_, "confirms up to %lld, counted %s",
                static_cast<long long>(process_->confirmed.value),
                to_string(set.counted()).c_str());
    invariants_.on_confirmed(id_, epoch(), process_->confirmed);
  }
  const PhysicalOffset own = options_.ack_flushed ? disk.flushed() : disk.end();
  const PhysicalOffset answered = options_.sync ? set.acknowledged() : own;
  while (!process_->waiting.empty() && process_->waiting.front().end <= answered) {
    answer(process_->waiting.front(), SendOutcome::Ok);
    process_->waiting.pop_front();
  }
}

void SimBroker::answer(const WaitingSend& send, SendOutcome outcome) {
  if (outcome == SendOutcome::Ok) invariants_.on_answered(send.number, send.end - 1);
  network_.send(id_, send.producer, SendSays{send.number, outcome, id_, send.end - 1});
}

PhysicalOffset SimBroker::visible_end() const {
  const PhysicalOffset durable = options_.ack_flushed ? disk.flushed() : disk.end();
  return options_.sync ? std::min(durable, process_->confirmed) : durable;
}

void SimBroker::on(NodeId from, const Send& request) {
  if (!is_master()) {
    network_.send(id_, from,
                  SendSays{request.number, SendOutcome::NotMaster, process_->role.master(), {}});
    return;
  }
  if (!process_->sync_set->may_write()) {
    network_.send(id_, from, SendSays{request.number, SendOutcome::Refused, id_, {}});
    return;
  }
  const PhysicalOffset at = disk.end();
  disk.log.push_back({request.number, epoch()});
  world_.note(id_, "appends %lld at %lld", static_cast<long long>(request.number),
              static_cast<long long>(at.value));
  invariants_.on_written(id_, at);
  process_->waiting.push_back({request.number, from, disk.end(), now() + kSendTimeout});
  on_own_log();
  pump_all();
  if (options_.ack_flushed) flush();
}

void SimBroker::on(NodeId from, const Pull& request) {
  PullSays answer;
  answer.is_master = is_master();
  answer.master = process_->role.master();
  answer.epoch = epoch();
  if (answer.is_master) {
    // Another reign than the consumer's: it starts again from the committed offset.
    const bool goes_on = request.from && request.epoch == epoch();
    answer.from = goes_on ? *request.from : PhysicalOffset{process_->group_offset.value};
    const PhysicalOffset to = std::min(visible_end(), answer.from + kPullMax);
    if (answer.from < to) answer.records = disk.read(answer.from, to);
  }
  network_.send(id_, from, answer);
}

void SimBroker::on(NodeId, const Commit& request) {
  if (!process_->role.is_master_of(request.epoch)) return;
  const QueueOffset end{visible_end().value};
  set_group_offset(merge_offset(process_->group_offset, request.offset, end));
}

}  // namespace rmq::sim
