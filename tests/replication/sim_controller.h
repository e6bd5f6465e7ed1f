// SimController and SimStore: controllers of a simulation, and the store that they share. A
// controller reads the broker set, asks src/replication what follows, and writes that by
// compare-and-swap; when another was faster it starts over. It works on several requests at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "replication/broker_set.h"
#include "replication/liveness.h"
#include "tests/replication/sim_network.h"

namespace rmq::sim {

// Linearizable, never down; it can be cut off.
class SimStore {
 public:
  SimStore(World& world, Network& network, BrokerSet start);

  const BrokerSet& value() const { return value_; }

  std::function<void()> on_change;  // who wants to know

 private:
  void on(NodeId from, const AskStore& question);

  World& world_;
  Network& network_;
  BrokerSet value_;
};

class SimController {
 public:
  SimController(World& world, Network& network, NodeId node);

  void start();
  void crash();
  // An operator's wish.
  void designate(ReplicaId id);

 private:
  // A request, or an own attempt to elect, on its way through the store.
  struct Operation {
    AskControl request;
    std::optional<NodeId> asked_by;
    std::optional<Applied<ReignInfo>> applied;  // while it is being written
    int attempts = 0;
    Ticks started = 0;
  };

  SteadyTime now() { return world_.clock(node_); }
  void tick();
  void start_operation(std::optional<NodeId> asked_by, const AskControl& request);
  void read(std::uint64_t number);
  Applied<ReignInfo> apply(const Operation& operation, const BrokerSet& set);
  void finish(std::uint64_t number, const Applied<ReignInfo>& applied);
  void tell_all(const ReignInfo& reign);
  void on_message(NodeId from, const Message& message);
  void on_closed(NodeId from, std::uint64_t connection);
  void on_store(const StoreSays& answer);

  World& world_;
  Network& network_;
  const NodeId node_;
  std::optional<Liveness> liveness_;  // none: no process
  BrokerSet seen_;                    // as it was read last
  std::map<std::uint64_t, Operation> operations_;
  std::uint64_t next_operation_ = 1;
};

}  // namespace rmq::sim
