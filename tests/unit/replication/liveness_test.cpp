#include "replication/liveness.h"

#include <doctest/doctest.h>

#include <ostream>

using namespace rmq;
using namespace rmq::replication;
using namespace std::chrono_literals;

namespace {

const SteadyTime kStart{1h};
const ReplicaKey kFirst{"broker", 1};

Heartbeat beat(ReplicaId id, std::int64_t end = 0) {
  Heartbeat heartbeat;
  heartbeat.set = "broker";
  heartbeat.id = id;
  heartbeat.standing.end = PhysicalOffset{end};
  heartbeat.timeout = 1s;
  return heartbeat;
}

BrokerSet set_with_master(std::optional<ReplicaId> master) {
  BrokerSet set;
  set.name = "broker";
  for (ReplicaId id = 1; id <= 3; ++id) set.replicas[id] = {};
  set.master = master;
  set.epoch = Epoch{1};
  set.members = {1, 2};
  return set;
}

}  // namespace

TEST_CASE("liveness: silence is death, once") {
  Liveness liveness(2s, kStart);
  liveness.on_heartbeat(beat(1, 50), 1, kStart);
  liveness.on_heartbeat(beat(2), 2, kStart + 500ms);
  CHECK(liveness.alive_ids("broker", kStart + 999ms) == ReplicaIds{1, 2});
  CHECK(liveness.alive("broker", kStart).at(1).end == PhysicalOffset{50});
  CHECK(liveness.alive_ids("other", kStart).empty());
  CHECK(liveness.tick(kStart + 1s) == std::vector{kFirst});
  CHECK(liveness.tick(kStart + 1s).empty());
  CHECK(liveness.alive_ids("broker", kStart + 1s) == ReplicaIds{2});
  liveness.on_heartbeat(beat(1, 40), 1, kStart + 2s);
  CHECK(liveness.alive("broker", kStart + 2s).at(1).end == PhysicalOffset{40});
  CHECK(liveness.tick(kStart + 3s).size() == 2);
}

TEST_CASE("liveness: a pause in which nobody could be heard is nobody's silence") {
  Liveness liveness(2s, kStart);
  liveness.on_heartbeat(beat(1), 1, kStart);
  liveness.on_heartbeat(beat(2), 2, kStart - 10s);
  CHECK(liveness.tick(kStart).size() == 1);
  liveness.expect({"broker", 3}, kStart);
  liveness.postpone(5s);
  CHECK(liveness.tick(kStart + 5'999ms).empty());
  CHECK(liveness.alive_ids("broker", kStart + 5'999ms) == ReplicaIds{1});
  CHECK(!liveness.is_dead({"broker", 3}, kStart + 6'999ms));
  CHECK(!liveness.is_dead({"broker", 4}, kStart + 6'999ms));
  CHECK(liveness.tick(kStart + 6s) == std::vector{kFirst});
  CHECK(liveness.is_dead({"broker", 3}, kStart + 7s));
  CHECK(liveness.is_dead({"broker", 4}, kStart + 7s));
}

TEST_CASE("liveness: who was never heard of gets time") {
  const Liveness liveness(2s, kStart);
  CHECK(!liveness.is_dead(kFirst, kStart + 1999ms));
  CHECK(liveness.alive_ids("broker", kStart).empty());
  CHECK(liveness.is_dead(kFirst, kStart + 2s));
  CHECK(liveness.last_of(kFirst) == nullptr);
}

TEST_CASE("liveness: who shows itself late gets time for its first heartbeat") {
  Liveness liveness(2s, kStart);
  const SteadyTime late = kStart + 1h;
  CHECK(liveness.is_dead(kFirst, late));
  liveness.expect(kFirst, late);
  CHECK(!liveness.is_dead(kFirst, late + 1999ms));
  CHECK(liveness.alive_ids("broker", late).empty());
  CHECK(liveness.is_dead(kFirst, late + 2s));
  // Within the time of the start it gets no less.
  Liveness fresh(2s, kStart);
  fresh.expect(kFirst, kStart - 1s);
  CHECK(!fresh.is_dead(kFirst, kStart + 1999ms));
  // Its heartbeats are what counts from then on.
  liveness.on_heartbeat(beat(1), 1, late + 1s);
  CHECK(!liveness.is_dead(kFirst, late + 1999ms));
  CHECK(liveness.is_dead(kFirst, late + 2s));
  liveness.expect(kFirst, late + 3s);
  CHECK(liveness.is_dead(kFirst, late + 3s));
  liveness.forget(kFirst);
  CHECK(liveness.is_dead(kFirst, late + 3s));
}

TEST_CASE("liveness: a closed connection and a closed port are death at once") {
  Liveness liveness(2s, kStart);
  liveness.on_heartbeat(beat(1), 7, kStart);
  CHECK(liveness.on_connection_closed(6).empty());
  CHECK(liveness.on_connection_closed(7) == std::vector{kFirst});
  CHECK(!liveness.is_dead(kFirst, kStart));
  liveness.on_port_refused(kFirst, 7);
  CHECK(liveness.is_dead(kFirst, kStart));
  CHECK(liveness.tick(kStart) == std::vector{kFirst});
  liveness.on_heartbeat(beat(1), 8, kStart);
  CHECK(!liveness.is_dead(kFirst, kStart));
}

TEST_CASE("liveness: an old connection that closes late evicts nobody") {
  Liveness liveness(2s, kStart);
  liveness.on_heartbeat(beat(1), 7, kStart);
  liveness.on_heartbeat(beat(1), 8, kStart);
  CHECK(liveness.on_connection_closed(7).empty());
  liveness.on_port_refused(kFirst, 7);
  CHECK(!liveness.is_dead(kFirst, kStart));
  // Nor does a heartbeat that was on its way in it say anything.
  liveness.on_heartbeat(beat(1, 99), 7, kStart + 5s);
  CHECK(liveness.is_dead(kFirst, kStart + 5s));
  liveness.forget(kFirst);
  CHECK(liveness.last_of(kFirst) == nullptr);
}

TEST_CASE("liveness: the electorate") {
  Liveness liveness(2s, kStart);
  liveness.on_heartbeat(beat(2), 1, kStart);
  const Electorate early = liveness.electorate(set_with_master(1), kStart);
  CHECK(early.master_lives);  // it may not have been heard of yet
  CHECK(early.dead.empty());
  liveness.on_heartbeat(beat(2), 1, kStart + 2s);
  const Electorate late = liveness.electorate(set_with_master(1), kStart + 2s);
  CHECK(!late.master_lives);
  CHECK(late.dead == ReplicaIds{1});
  CHECK(late.alive.size() == 1);
}

TEST_CASE("liveness: when an election is needed") {
  Liveness liveness(2s, kStart);
  CHECK(!needs_election(BrokerSet{}, liveness, false, kStart + 1h));
  CHECK(!needs_election(set_with_master(1), liveness, false, kStart));
  CHECK(needs_election(set_with_master(1), liveness, false, kStart + 2s));
  // Without a master, when somebody could follow.
  liveness.on_heartbeat(beat(3), 1, kStart);
  CHECK(!needs_election(set_with_master({}), liveness, false, kStart));
  CHECK(needs_election(set_with_master({}), liveness, true, kStart));
  liveness.on_heartbeat(beat(2), 1, kStart);
  CHECK(needs_election(set_with_master({}), liveness, false, kStart));
}
