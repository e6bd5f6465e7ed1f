#include "tests/replication/sim_controller.h"

#include <utility>
#include <vector>

namespace rmq::sim {
namespace {

constexpr Ticks kTick = 60 * kMillisecond;
constexpr Ticks kOperationMax = 500 * kMillisecond;
constexpr int kAttemptsMax = 5;
constexpr std::chrono::milliseconds kFirstBeatMax{1'200};

}  // namespace

SimStore::SimStore(World& world, Network& network, BrokerSet start)
    : world_(world), network_(network), value_(std::move(start)) {
  world_.set_up(kStore);
  network_.attach(kStore, [this](NodeId from, const Message& message) {
    if (const auto* question = std::get_if<AskStore>(&message)) on(from, *question);
  });
}

void SimStore::on(NodeId from, const AskStore& question) {
  StoreSays answer;
  answer.operation = question.operation;
  answer.was_write = question.write.has_value();
  // The new value's version is one above that of the value it was made from.
  if (question.write && question.write->version == value_.version + 1) {
    value_ = *question.write;
    answer.stored = true;
    world_.note(kStore, "master %lld, epoch %d, set %s, set epoch %d, by %s",
                static_cast<long long>(value_.master.value_or(0)), value_.epoch.value,
                to_string(value_.members).c_str(), value_.set_epoch.value, name_of(from).c_str());
    if (on_change) on_change();
  }
  answer.value = value_;
  network_.send(kStore, from, answer);
}

SimController::SimController(World& world, Network& network, NodeId node)
    : world_(world), network_(network), node_(node) {
  network_.attach(node_,
                  [this](NodeId from, const Message& message) { on_message(from, message); });
}

void SimController::start() {
  if (liveness_) return;
  world_.set_up(node_);
  world_.note(node_, "starts");
  liveness_.emplace(kFirstBeatMax, now());
  seen_ = {};
  operations_.clear();
  tick();
}

void SimController::crash() {
  if (!liveness_) return;
  world_.note(node_, "dies");
  liveness_.reset();
  world_.set_down(node_);
}

void SimController::designate(ReplicaId id) {
  if (!liveness_) return;
  world_.note(node_, "is told to make broker%lld master", static_cast<long long>(id));
  AskControl request;
  request.question = Question::Elect;
  request.election.designate = id;
  start_operation(std::nullopt, request);
}

void SimController::tick() {
  world_.at(node_, kTick + world_.random.between(0, kTick / 2), [this] { tick(); });
  for (const ReplicaKey& dead : liveness_->tick(now())) {
    world_.note(node_, "takes broker%lld for dead", static_cast<long long>(dead.second));
  }
  std::erase_if(operations_, [&](const auto& entry) {
    return world_.now() - entry.second.started > kOperationMax;
  });
  bool electing = false;
  for (const auto& [number, operation] : operations_) electing |= !operation.asked_by;
  if (electing) return;
  if (needs_election(seen_, *liveness_, false, now())) {
    AskControl election;
    election.question = Question::Elect;
    start_operation(std::nullopt, election);
  } else {
    network_.send(node_, kStore, AskStore{0, std::nullopt});  // to see what others did
  }
}

void SimController::start_operation(std::optional<NodeId> asked_by, const AskControl& request) {
  Operation operation;
  operation.request = request;
  operation.asked_by = asked_by;
  operation.started = world_.now();
  const std::uint64_t number = next_operation_++;
  operations_.emplace(number, std::move(operation));
  read(number);
}

void SimController::read(std::uint64_t number) {
  network_.send(node_, kStore, AskStore{number, std::nullopt});
}

Applied<ReignInfo> SimController::apply(const Operation& operation, const BrokerSet& set) {
  const AskControl& request = operation.request;
  switch (request.question) {
    case Question::Register:
      return register_broker(set, {*operation.asked_by, name_of(*operation.asked_by)});
    case Question::Alter:
      return alter_sync_state_set(set, request.proposal, liveness_->alive_ids(set.name, now()));
    case Question::Elect: {
      const bool own = !operation.asked_by && !request.election.designate;
      if (own && !needs_election(set, *liveness_, false, now())) {
        return unchanged(set, set.info());
      }
      return elect(set, request.election, liveness_->electorate(set, now()));
    }
    case Question::Info:
      break;
  }
  return unchanged(set, set.info());
}

void SimController::on_store(const StoreSays& answer) {
  if (answer.value.version >= seen_.version) seen_ = answer.value;
  const auto found = operations_.find(answer.operation);
  if (found == operations_.end()) return;
  Operation& operation = found->second;
  if (answer.was_write) {
    if (answer.stored && operation.applied) {
      finish(answer.operation, *operation.applied);
    } else if (++operation.attempts < kAttemptsMax) {
      operation.applied.reset();
      read(answer.operation);
    }
    return;
  }
  if (operation.applied) return;  // an answer that came twice
  operation.applied = apply(operation, answer.value);
  if (operation.applied->changed) {
    network_.send(node_, kStore, AskStore{answer.operation, operation.applied->value});
  } else {
    finish(answer.operation, *operation.applied);
  }
}

void SimController::finish(std::uint64_t number, const Applied<ReignInfo>& applied) {
  const Operation operation = operations_.at(number);
  const Applied<ReignInfo> done = applied;
  operations_.erase(number);
  if (done.changed) seen_ = done.value;
  if (operation.asked_by) {
    const bool was_refused = !done.answer;
    if (was_refused) {
      world_.note(node_, "refuses %s: %s", name_of(*operation.asked_by).c_str(),
                  done.answer.error().message().c_str());
    }
    network_.send(node_, *operation.asked_by,
                  ControlSays{operation.request.question, was_refused,
                              was_refused ? done.value.info() : *done.answer});
  }
  if (done.changed && done.answer && operation.request.question == Question::Elect) {
    tell_all(*done.answer);
  }
}

void SimController::tell_all(const ReignInfo& reign) {
  for (const ReplicaId id : reign.replicas) {
    network_.send(node_, id, ControlSays{std::nullopt, false, reign});
  }
}

void SimController::on_message(NodeId from, const Message& message) {
  if (!liveness_) return;
  if (const auto* request = std::get_if<AskControl>(&message)) start_operation(from, *request);
  if (const auto* beat = std::get_if<Beat>(&message)) {
    liveness_->on_heartbeat(beat->heartbeat, beat->connection, now());
  }
  if (const auto* closed = std::get_if<BrokerClosed>(&message)) on_closed(from, closed->connection);
  if (const auto* answer = std::get_if<StoreSays>(&message)) on_store(*answer);
}

// Tries the port: it refuses when the machine answers and no process is there.
void SimController::on_closed(NodeId from, std::uint64_t connection) {
  const bool reachable = network_.is_open(node_, from) && network_.is_open(from, node_);
  for (const ReplicaKey& suspect : liveness_->on_connection_closed(connection)) {
    if (suspect.second != from || !reachable || world_.is_up(from)) continue;
    liveness_->on_port_refused(suspect, connection);
    world_.note(node_, "finds %s's port closed", name_of(from).c_str());
  }
}

}  // namespace rmq::sim
