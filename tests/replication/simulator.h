// One run: a cluster, a time of faults, then a time without in which everything must come to be
// well: somebody is master, sends are answered with OK, all logs are the same, the SyncStateSet is
// everybody who lives, and the consumer has all that there is.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/replication/invariants.h"
#include "tests/replication/sim_broker.h"
#include "tests/replication/sim_clients.h"
#include "tests/replication/sim_controller.h"
#include "tests/replication/sim_faults.h"
#include "tests/replication/sim_network.h"
#include "tests/replication/sim_options.h"

namespace rmq::sim {

struct Outcome {
  std::int64_t steps = 0;
  std::size_t confirmed = 0;
  std::size_t answered = 0;
  std::size_t reigns = 0;
  std::optional<std::string> violation;
  std::deque<std::string> last_lines;
};

// The same for the same seed, whatever the tracing.
Outcome simulate(std::uint64_t seed, Tracing tracing);

class Simulator {
 public:
  Simulator(std::uint64_t seed, Tracing tracing);

  void run();  // throws Violation

  World world;
  Options options;
  Invariants invariants;

 private:
  void run_until(Ticks time);
  void heal();
  void settle(Ticks deadline);
  std::optional<ReplicaId> choose_left_down();
  std::int64_t ok_count() const;
  // What is not yet well; empty when everything is.
  std::string unsettled() const;

  Network network_;
  std::unique_ptr<SimStore> store_;
  std::vector<std::unique_ptr<SimBroker>> brokers_;
  std::vector<std::unique_ptr<SimController>> controllers_;
  std::vector<std::unique_ptr<SimProducer>> producers_;
  std::unique_ptr<SimConsumer> consumer_;
  std::optional<Faults> faults_;
  std::optional<ReplicaId> left_down_;
};

}  // namespace rmq::sim
