// What one simulated run is like; drawn from its seed.
#pragma once

#include "replication/broker_role.h"
#include "replication/feeder.h"
#include "replication/sync_set.h"
#include "tests/replication/sim_world.h"

namespace rmq::sim {

using namespace rmq::replication;

struct Options {
  int brokers = 3;
  int controllers = 2;
  int producers = 2;
  // Answers and consumers wait for what is confirmed; else for what is in the master's log.
  bool sync = true;
  // What counts as acknowledged, in the own log and in a replica's.
  bool ack_flushed = true;
  bool power_cuts = true;
  Ticks send_interval = 10 * kMillisecond;
  Ticks fault_interval_max = 800 * kMillisecond;
  Ticks faults_end = 12 * kSecond;

  SyncSetConfig sync_set;
  BrokerRoleConfig role;
  FeederConfig feeder;

  // Written is not flushed: a power cut may take what was confirmed.
  bool may_lose_confirmed() const { return power_cuts && !ack_flushed; }
};

inline Options draw_options(Random& random) {
  Options options;
  const std::int64_t size = random.between(0, 9);
  options.brokers = size < 6 ? 3 : size < 7 ? 2 : size < 9 ? 4 : 5;
  options.controllers = static_cast<int>(random.between(1, 3));
  options.sync = random.percent(65);
  options.ack_flushed = random.percent(60);
  options.power_cuts = options.ack_flushed ? random.percent(80) : random.percent(30);
  options.send_interval = random.between(2, 40) * kMillisecond;
  options.fault_interval_max = random.between(100, 1'500) * kMillisecond;
  options.sync_set.min_in_sync = options.sync ? 2 : 1;
  options.sync_set.not_caught_up_max = std::chrono::milliseconds(random.between(500, 3'000));
  options.sync_set.disconnected_max = std::chrono::milliseconds(random.between(200, 1'000));
  options.sync_set.proposal_interval = std::chrono::milliseconds(300);
  options.sync_set.join_max = std::chrono::milliseconds(random.between(200, 1'000));
  options.sync_set.join_lag_max = random.between(3, 300);
  options.role.ask_interval = std::chrono::milliseconds(200);
  options.role.poll_interval = std::chrono::milliseconds(random.between(300, 2'000));
  options.feeder.block_bytes_max = random.between(1, 20);
  options.feeder.window_bytes = random.between(20, 100);
  options.feeder.heartbeat = std::chrono::milliseconds(200);
  return options;
}

}  // namespace rmq::sim
