// A producer and a consumer group of a simulation. The producer sends one record at a time, to the
// broker that it takes for the master; the consumer pulls from the master, and starts again from
// the group's committed offset in each reign, as a process that starts does.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/replication/invariants.h"
#include "tests/replication/sim_network.h"
#include "tests/replication/sim_options.h"

namespace rmq::sim {

class SimProducer {
 public:
  SimProducer(World& world, Network& network, const Options& options, NodeId node);

  void start();
  void stop() { stopped_ = true; }
  std::int64_t ok_count() const { return ok_count_; }

 private:
  void send_next();
  void on_message(const Message& message);

  World& world_;
  Network& network_;
  const Options& options_;
  const NodeId node_;
  ReplicaId target_ = 1;
  std::int64_t number_;
  std::int64_t ok_count_ = 0;
  bool waits_ = false;
  bool stopped_ = false;
};

class SimConsumer {
 public:
  SimConsumer(World& world, Network& network, Invariants& invariants, const Options& options);

  void start();
  // It has got all that its master had, up to here.
  bool has_all_of(Epoch epoch, PhysicalOffset end) const {
    return epoch_ == epoch && position_ == end;
  }

 private:
  void pull();
  void on_message(NodeId from, const Message& message);

  World& world_;
  Network& network_;
  Invariants& invariants_;
  const Options& options_;
  ReplicaId target_ = 1;
  std::optional<PhysicalOffset> position_;
  Epoch epoch_;
  bool answered_ = false;
};

}  // namespace rmq::sim
