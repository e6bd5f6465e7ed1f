#include "tests/replication/simulator.h"

namespace rmq::sim {
namespace {

constexpr Ticks kHealingMax = 40 * kSecond;
constexpr std::int64_t kStepsMax = 400'000;
constexpr Ticks kCheckInterval = 100 * kMillisecond;

BrokerSet registered_set(int brokers) {
  BrokerSet set;
  set.cluster = "cluster";
  set.name = "broker";
  for (int i = 0; i < brokers; ++i) {
    const ReplicaId id = next_broker_id(set);
    const Applied<ReplicaId> applied = apply_broker_id(set, {id, name_of(id)});
    set = applied.value;
  }
  return set;
}

}  // namespace

Outcome simulate(std::uint64_t seed, Tracing tracing) {
  Simulator simulator(seed, tracing);
  Outcome outcome;
  try {
    simulator.run();
  } catch (const Violation& violation) {
    outcome.violation = violation.what();
  }
  outcome.steps = simulator.world.steps();
  outcome.confirmed = simulator.invariants.confirmed_count();
  outcome.answered = simulator.invariants.answered_count();
  outcome.reigns = simulator.invariants.reigns_count();
  outcome.last_lines = simulator.world.last_lines();
  return outcome;
}

Simulator::Simulator(std::uint64_t seed, Tracing tracing)
    : world(seed, tracing),
      options(draw_options(world.random)),
      invariants(options),
      network_(world) {
  store_ = std::make_unique<SimStore>(world, network_, registered_set(options.brokers));
  for (int i = 0; i < options.controllers; ++i) {
    controllers_.push_back(std::make_unique<SimController>(world, network_, kFirstController + i));
  }
  for (ReplicaId id = 1; id <= options.brokers; ++id) {
    brokers_.push_back(std::make_unique<SimBroker>(world, network_, invariants, options, id));
  }
  for (int i = 0; i < options.producers; ++i) {
    producers_.push_back(
        std::make_unique<SimProducer>(world, network_, options, kFirstProducer + i));
  }
  consumer_ = std::make_unique<SimConsumer>(world, network_, invariants, options);
  faults_.emplace(world, network_, options, *store_, brokers_, controllers_);
  world.note(0, "%d brokers, %d controllers, %s, acknowledged is %s%s", options.brokers,
             options.controllers, options.sync ? "sync" : "async",
             options.ack_flushed ? "flushed" : "written",
             options.power_cuts ? ", with power cuts" : "");
}

void Simulator::run() {
  for (const auto& controller : controllers_) controller->start();
  for (const auto& broker : brokers_) broker->start();
  for (const auto& producer : producers_) producer->start();
  consumer_->start();
  faults_->start();
  run_until(options.faults_end);
  heal();
}

void Simulator::run_until(Ticks time) {
  bool reached = false;
  world.outside(time - world.now(), [&reached] { reached = true; });
  while (!reached && world.step()) {
    if (world.steps() > kStepsMax) throw Violation("too much happens: somebody does not wait");
  }
}

void Simulator::heal() {
  left_down_ = choose_left_down();
  faults_->end(left_down_);
  const std::int64_t ok_before = ok_count();
  const Ticks deadline = world.now() + kHealingMax;
  while (ok_count() < ok_before + 5) {
    if (world.now() > deadline) throw Violation("no send is answered with OK after all faults");
    run_until(world.now() + kCheckInterval);
  }
  for (const auto& producer : producers_) producer->stop();
  settle(deadline);
  // Copies of sends that come late count too.
  run_until(world.now() + kLateMax);
  settle(deadline);
  invariants.check_end(brokers_[left_down_ == 1 ? 1 : 0]->disk);
}

void Simulator::settle(Ticks deadline) {
  std::string missing = unsettled();
  while (!missing.empty()) {
    if (world.now() > deadline) throw Violation("after all faults " + missing);
    run_until(world.now() + kCheckInterval);
    missing = unsettled();
  }
}

// Sometimes one broker never comes back; the others can do without it when it is not the only one
// that may become master.
std::optional<ReplicaId> Simulator::choose_left_down() {
  const BrokerSet& set = store_->value();
  if (options.brokers < 3 || !world.random.percent(30)) return std::nullopt;
  const ReplicaId choice = world.random.between(1, options.brokers);
  if (set.members.contains(choice) && set.members.size() == 1) return std::nullopt;
  // A proposal to be alone may be on its way.
  if (set.master == choice) return std::nullopt;
  world.note(choice, "will stay away");
  return choice;
}

std::int64_t Simulator::ok_count() const {
  std::int64_t count = 0;
  for (const auto& producer : producers_) count += producer->ok_count();
  return count;
}

std::string Simulator::unsettled() const {
  const BrokerSet& set = store_->value();
  if (!set.master) return "there is no master";
  const SimBroker& master = *brokers_[static_cast<std::size_t>(*set.master - 1)];
  if (!master.is_master() || master.epoch() != set.epoch) return "the master does not reign";
  for (ReplicaId id = 1; id <= options.brokers; ++id) {
    if (id == left_down_) continue;
    const SimBroker& broker = *brokers_[static_cast<std::size_t>(id - 1)];
    if (!set.members.contains(id)) return name_of(id) + " is not in the set";
    if (broker.disk.log != master.disk.log) return name_of(id) + " has another log";
    if (broker.confirmed() != master.disk.end()) return name_of(id) + " knows less confirmed";
  }
  if (left_down_ && set.members.contains(*left_down_)) return "who is away is still in the set";
  const bool is_read = consumer_->has_all_of(set.epoch, master.disk.end());
  return is_read ? "" : "the consumer has not got everything";
}

}  // namespace rmq::sim
