#include "tests/replication/sim_faults.h"

namespace rmq::sim {

Faults::Faults(World& world, Network& network, const Options& options, SimStore& store,
               std::vector<std::unique_ptr<SimBroker>>& brokers,
               std::vector<std::unique_ptr<SimController>>& controllers)
    : world_(world),
      network_(network),
      options_(options),
      store_(store),
      brokers_(brokers),
      controllers_(controllers) {
  const std::vector<Fault> all = {
      &Faults::crash_broker,  &Faults::freeze_node,      &Faults::isolate,    &Faults::cut_one_way,
      &Faults::split_pair,    &Faults::bridge,           &Faults::slow_disk,  &Faults::bad_network,
      &Faults::cut_off_store, &Faults::crash_controller, &Faults::move_clock, &Faults::hit_master,
      &Faults::fail_log,      &Faults::hand_over};
  for (const Fault fault : all) {
    const std::int64_t weight = world_.random.percent(60) ? world_.random.between(1, 4) : 0;
    mixture_.insert(mixture_.end(), static_cast<std::size_t>(weight), fault);
  }
  if (options_.power_cuts) {
    mixture_.insert(mixture_.end(), 3, &Faults::cut_power);
    mixture_.push_back(&Faults::cut_power_of_all);
  }
  hit_percent_ = world_.random.percent(60) ? world_.random.between(5, 60) : 0;
  store_.on_change = [this] { on_store_change(); };
  if (mixture_.empty()) mixture_.push_back(&Faults::crash_broker);
}

void Faults::start() {
  world_.outside(world_.random.between(500, 2'000) * kMillisecond, [this] { next(); });
}

void Faults::next() {
  if (ended_ || world_.now() >= options_.faults_end) return;
  const auto last = static_cast<std::int64_t>(mixture_.size()) - 1;
  const Fault fault = mixture_[static_cast<std::size_t>(world_.random.between(0, last))];
  (this->*fault)();
  world_.outside(world_.random.between(0, options_.fault_interval_max), [this] { next(); });
}

void Faults::on_store_change() {
  if (ended_ || world_.now() > options_.faults_end || !world_.random.percent(hit_percent_)) return;
  world_.outside(world_.random.between(0, 15) * kMillisecond, [this] {
    if (!ended_) hit_master();
  });
}

void Faults::end(std::optional<ReplicaId> left_down) {
  ended_ = true;
  world_.note(0, "all faults end");
  network_.mend_all();
  network_.loss_percent = network_.twice_percent = 0;
  network_.delay_max = 800;
  // The last of them may leave the controllers with what they knew a moment before.
  const bool all_at_once = options_.power_cuts && world_.random.percent(30);
  for (const auto& broker : brokers_) {
    if (all_at_once) broker->power_cut();
    const NodeId node = static_cast<NodeId>(&broker - brokers_.data()) + 1;
    broker->disk.flush_time = 2 * kMillisecond;
    if (left_down == node || broker->has_failed()) broker->crash();
    if (left_down != node) broker->start();
  }
  for (const auto& controller : controllers_) controller->start();
}

SimBroker& Faults::any_broker() {
  const auto last = static_cast<std::int64_t>(brokers_.size()) - 1;
  return *brokers_[static_cast<std::size_t>(world_.random.between(0, last))];
}

NodeId Faults::any_node() {
  const std::int64_t number = world_.random.between(1, options_.brokers + options_.controllers);
  return number <= options_.brokers ? number : kFirstController + number - options_.brokers - 1;
}

void Faults::crash(SimBroker& broker, bool power) {
  if (power) {
    broker.power_cut();
  } else {
    broker.crash();
  }
  world_.outside(duration(), [this, &broker] {
    if (!ended_) broker.start();
  });
}

void Faults::crash_broker() { crash(any_broker(), false); }

void Faults::cut_power() { crash(any_broker(), true); }

void Faults::hit_master() {
  const NodeId master = store_.value().master.value_or(1);
  switch (world_.random.between(0, 3)) {
    case 0:
      isolate(master);
      return;
    case 1:
      world_.note(master, "is frozen");
      world_.freeze(master, duration());
      return;
    default:
      crash(*brokers_[static_cast<std::size_t>(master - 1)],
            options_.power_cuts && world_.random.percent(50));
  }
}

void Faults::cut_power_of_all() {
  world_.note(0, "the power fails");
  for (const auto& broker : brokers_) {
    broker->power_cut();
    world_.outside(duration(), [this, &broker] {
      if (!ended_) broker->start();
    });
  }
}

void Faults::fail_log() {
  SimBroker& broker = any_broker();
  broker.fail_log();
  world_.outside(duration(), [this, &broker] {
    if (ended_) return;
    broker.crash();
    broker.start();
  });
}

// An operator wants another master.
void Faults::hand_over() {
  const auto index = static_cast<std::size_t>(world_.random.between(0, options_.controllers - 1));
  controllers_[index]->designate(world_.random.between(1, options_.brokers));
}

void Faults::freeze_node() {
  const NodeId node = any_node();
  world_.note(node, "is frozen");
  world_.freeze(node, duration());
}

void Faults::cut(NodeId a, NodeId b, Ticks duration, bool both) {
  network_.cut(a, b);
  if (both) network_.cut(b, a);
  world_.outside(duration, [this, a, b, both] {
    network_.mend(a, b);
    if (both) network_.mend(b, a);
  });
}

void Faults::isolate() { isolate(any_node()); }

void Faults::isolate(NodeId node) {
  // A broker may keep the clients on its side.
  const bool with_clients = world_.random.percent(50);
  const Ticks time = duration();
  world_.note(node, "is cut off%s", with_clients ? ", with the clients" : "");
  for (NodeId other = 1; other <= kConsumer; ++other) {
    if (other == node || (with_clients && other >= kFirstProducer)) continue;
    cut(node, other, time, true);
  }
}

void Faults::cut_one_way() {
  const NodeId from = any_node();
  const NodeId to = any_node();
  if (from == to) return;
  world_.note(from, "cannot reach %s", name_of(to).c_str());
  cut(from, to, duration(), false);
}

void Faults::split_pair() {
  const NodeId a = any_node();
  const NodeId b = any_node();
  if (a == b) return;
  world_.note(a, "and %s do not see each other", name_of(b).c_str());
  cut(a, b, duration(), true);
}

// All see one broker, and it sees all; the others do not see each other.
void Faults::bridge() {
  const NodeId middle = any_node();
  const Ticks time = duration();
  world_.note(middle, "is the bridge");
  for (NodeId a = 1; a <= options_.brokers; ++a) {
    for (NodeId b = a + 1; b <= options_.brokers; ++b) {
      if (a != middle && b != middle) cut(a, b, time, true);
    }
  }
}

void Faults::cut_off_store() {
  const NodeId node = kFirstController + world_.random.between(0, options_.controllers - 1);
  world_.note(node, "does not reach the store");
  cut(node, kStore, duration(), world_.random.percent(50));
}

void Faults::crash_controller() {
  const auto index = static_cast<std::size_t>(world_.random.between(0, options_.controllers - 1));
  controllers_[index]->crash();
  world_.outside(duration(), [this, index] {
    if (!ended_) controllers_[index]->start();
  });
}

void Faults::slow_disk() {
  SimBroker& broker = any_broker();
  broker.disk.flush_time = world_.random.between(20, 1'000) * kMillisecond;
  world_.outside(duration(), [&broker] { broker.disk.flush_time = 2 * kMillisecond; });
}

void Faults::bad_network() {
  network_.delay_max = world_.random.between(1, 300) * kMillisecond;
  network_.loss_percent = world_.random.between(0, 30);
  network_.twice_percent = world_.random.between(0, 30);
  world_.note(0, "the network gets bad: %lld ms, %lld %% lost, %lld %% twice",
              static_cast<long long>(network_.delay_max / kMillisecond),
              static_cast<long long>(network_.loss_percent),
              static_cast<long long>(network_.twice_percent));
  world_.outside(duration(), [this] {
    network_.delay_max = 800;
    network_.loss_percent = network_.twice_percent = 0;
  });
}

void Faults::move_clock() {
  const NodeId node = any_node();
  const Ticks by = world_.random.percent(70) ? world_.random.between(1, 60) * kSecond
                                             : -world_.random.between(10, 2'000) * kMillisecond;
  world_.note(node, "its clock jumps by %lld ms", static_cast<long long>(by / kMillisecond));
  world_.move_clock(node, by);
}

}  // namespace rmq::sim
