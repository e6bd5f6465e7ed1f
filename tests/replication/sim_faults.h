// Faults: what goes wrong in a simulation, and when. Each run has its own mixture, so that some
// have much of one kind.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/replication/sim_broker.h"
#include "tests/replication/sim_controller.h"
#include "tests/replication/sim_network.h"
#include "tests/replication/sim_options.h"

namespace rmq::sim {

class Faults {
 public:
  Faults(World& world, Network& network, const Options& options, SimStore& store,
         std::vector<std::unique_ptr<SimBroker>>& brokers,
         std::vector<std::unique_ptr<SimController>>& controllers);

  void start();
  // Everything is well again, except for `left_down`; who is frozen wakes in its time.
  void end(std::optional<ReplicaId> left_down);

 private:
  using Fault = void (Faults::*)();

  void next();
  // The moments in which a set has just changed are those that matter.
  void on_store_change();
  void crash_broker();
  void cut_power();
  void hit_master();
  void fail_log();
  void hand_over();
  void crash(SimBroker& broker, bool power);
  void isolate(NodeId node);
  void cut_power_of_all();
  void freeze_node();
  void isolate();
  void cut_one_way();
  void split_pair();
  void bridge();
  void cut_off_store();
  void crash_controller();
  void slow_disk();
  void bad_network();
  void move_clock();

  SimBroker& any_broker();
  NodeId any_node();
  // Cuts both directions for a while.
  void cut(NodeId a, NodeId b, Ticks duration, bool both);
  Ticks duration() { return world_.random.between(50, 3'000) * kMillisecond; }

  World& world_;
  Network& network_;
  const Options& options_;
  SimStore& store_;
  std::vector<std::unique_ptr<SimBroker>>& brokers_;
  std::vector<std::unique_ptr<SimController>>& controllers_;
  std::vector<Fault> mixture_;
  std::int64_t hit_percent_ = 0;  // of the changes of the set are followed by a blow
  bool ended_ = false;
};

}  // namespace rmq::sim
