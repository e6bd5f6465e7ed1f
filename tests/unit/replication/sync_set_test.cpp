#include "replication/sync_set.h"

#include <doctest/doctest.h>

#include <ostream>

#include "replication/replication_errc.h"

using namespace rmq;
using namespace rmq::replication;
using namespace std::chrono_literals;

namespace {

constexpr Epoch kEpoch{3};

// A master with id 1 whose epoch starts at 100.
struct Reign {
  SteadyTime now{1h};
  SyncSet set;

  explicit Reign(ReplicaIds members, SyncSetConfig config = {}, ReplicaIds dead = {})
      : set(config, start(std::move(members), std::move(dead)), now) {
    set.learn_replicas({1, 2, 3, 4});
    own(100);
  }
  static ReignStart start(ReplicaIds members, ReplicaIds dead) {
    ReignStart reign;
    reign.self = 1;
    reign.epoch = kEpoch;
    reign.start = PhysicalOffset{100};
    reign.members = std::move(members);
    reign.set_epoch = SetEpoch{7};
    reign.dead = std::move(dead);
    return reign;
  }
  void own(std::int64_t end) { set.on_own_log(PhysicalOffset{end}, PhysicalOffset{end}); }
  void connect(ReplicaId id, std::int64_t acked, SyncSet::Connection connection = 1,
               bool learner = false) {
    REQUIRE(set.on_connected(id, connection, learner, now));
    REQUIRE(ack(id, acked, connection));
  }
  Result<> ack(ReplicaId id, std::int64_t offset, SyncSet::Connection connection = 1) {
    return set.on_ack(id, connection, kEpoch, PhysicalOffset{offset}, now);
  }
  std::error_code why_not(ReplicaId id, std::int64_t offset, SyncSet::Connection connection = 1) {
    return ack(id, offset, connection).error().code;
  }
  std::int64_t confirmed() const { return set.confirmed().value; }
  // The members that are proposed at the next tick; empty when nothing is.
  ReplicaIds proposed(std::chrono::milliseconds after = 10s) {
    now += after;
    const std::optional<SetProposal> proposal = set.tick(now);
    return proposal ? proposal->members : ReplicaIds{};
  }
  void accept(ReplicaIds members, std::int32_t set_epoch) {
    set.on_set(kEpoch, members, SetEpoch{set_epoch});
  }
};

}  // namespace

TEST_CASE("sync set: confirmed is what all members have, and never goes down") {
  Reign reign({1, 2, 3});
  reign.own(200);
  CHECK(reign.confirmed() == 0);
  reign.connect(2, 150);
  CHECK(reign.confirmed() == 0);
  reign.connect(3, 120);
  CHECK(reign.confirmed() == 120);
  REQUIRE(reign.ack(3, 180));
  CHECK(reign.confirmed() == 150);
  // Replica 3 comes back without what it had: nothing is taken back, and nothing goes on.
  reign.connect(3, 110, 2);
  REQUIRE(reign.ack(2, 190));
  CHECK(reign.confirmed() == 150);
  REQUIRE(reign.ack(3, 200, 2));
  CHECK(reign.confirmed() == 190);
}

TEST_CASE("sync set: the own log counts as far as it is acknowledged") {
  Reign reign({1, 2});
  reign.set.on_own_log(PhysicalOffset{130}, PhysicalOffset{200});
  reign.connect(2, 200);
  CHECK(reign.confirmed() == 130);
}

TEST_CASE("sync set: acknowledgements that cannot be are refused") {
  Reign reign({1, 2});
  reign.own(200);
  CHECK(reign.why_not(2, 150) == ReplicationErrc::OldConnection);
  CHECK(reign.why_not(3, 150) == ReplicationErrc::UnknownReplica);
  reign.connect(2, 150, 5);
  CHECK(reign.why_not(2, 201, 5) == ReplicationErrc::AckBeyondEnd);
  CHECK(reign.why_not(2, 149, 5) == ReplicationErrc::AckWentBack);
  CHECK(reign.why_not(2, 160, 4) == ReplicationErrc::OldConnection);
  CHECK(reign.set.on_ack(2, 5, Epoch{2}, PhysicalOffset{160}, reign.now).error().code ==
        ReplicationErrc::StaleEpoch);
  CHECK(reign.confirmed() == 150);

  CHECK(reign.set.on_connected(9, 6, false, reign.now).error().code ==
        ReplicationErrc::UnknownReplica);
  CHECK(reign.set.on_connected(1, 6, false, reign.now).error().code ==
        ReplicationErrc::UnknownReplica);
  CHECK(reign.set.on_connected(2, 4, false, reign.now).error().code ==
        ReplicationErrc::OldConnection);
}

TEST_CASE("sync set: the end of an old connection is not that of the replica") {
  Reign reign({1, 2});
  reign.connect(2, 100, 5);
  reign.connect(2, 100, 6);
  reign.set.on_disconnected(2, 5, reign.now);
  CHECK(reign.proposed(2s).empty());
  reign.set.on_disconnected(2, 6, reign.now);
  CHECK(reign.proposed(2s) == ReplicaIds{1});
}

TEST_CASE("sync set: a newcomer is proposed when it has all, and counts from then on") {
  Reign reign({1});
  reign.own(200);
  CHECK(reign.confirmed() == 200);
  reign.connect(2, 90);  // not even the start of the epoch
  CHECK(reign.proposed().empty());
  REQUIRE(reign.ack(2, 200));
  CHECK(reign.proposed() == ReplicaIds{1, 2});
  reign.own(300);
  CHECK(reign.confirmed() == 200);
  REQUIRE(reign.ack(2, 250));
  CHECK(reign.confirmed() == 250);
  // The answer was lost; it counts until the controller's set is known to be another.
  CHECK(reign.set.members() == ReplicaIds{1});
  CHECK(reign.set.counted() == ReplicaIds{1, 2});
  reign.accept({1, 2}, 8);
  CHECK(reign.set.members() == ReplicaIds{1, 2});
  CHECK(reign.proposed(1s).empty());
}

TEST_CASE("sync set: a newcomer close to the end holds confirmed back, for a while") {
  SyncSetConfig config;
  config.join_lag_max = 10;
  config.join_max = 500ms;
  Reign reign({1}, config);
  reign.own(200);
  reign.connect(2, 150);
  reign.own(210);
  CHECK(reign.confirmed() == 210);  // too far away
  REQUIRE(reign.ack(2, 205));
  reign.own(220);
  CHECK(reign.confirmed() == 210);
  CHECK(reign.proposed(100ms).empty());  // 205 is less than what is confirmed
  REQUIRE(reign.ack(2, 215));
  CHECK(reign.confirmed() == 215);
  CHECK(reign.proposed(1ms) == ReplicaIds{1, 2});
}

TEST_CASE("sync set: a newcomer that does not catch up stops to hold confirmed back") {
  SyncSetConfig config;
  config.join_max = 500ms;
  Reign reign({1}, config);
  reign.own(200);
  reign.connect(2, 190);
  reign.own(300);
  CHECK(reign.confirmed() == 200);
  CHECK(reign.proposed(501ms).empty());
  CHECK(reign.confirmed() == 300);
  REQUIRE(reign.ack(2, 195));  // its turn is over
  reign.own(400);
  CHECK(reign.confirmed() == 400);
}

TEST_CASE("sync set: learners are never proposed") {
  Reign reign({1});
  reign.connect(2, 100, 1, true);
  reign.own(200);
  REQUIRE(reign.ack(2, 200));
  CHECK(reign.confirmed() == 200);
  CHECK(reign.proposed().empty());
}

TEST_CASE("sync set: a lost member counts until the controller took it off") {
  Reign reign({1, 2, 3});
  reign.connect(2, 100);
  reign.connect(3, 100);
  reign.own(200);
  REQUIRE(reign.ack(2, 200));
  reign.set.on_disconnected(3, 1, reign.now);
  CHECK(reign.proposed(900ms).empty());
  CHECK(reign.proposed(200ms) == ReplicaIds{1, 2});
  CHECK(reign.confirmed() == 100);
  reign.accept({1, 2}, 8);
  CHECK(reign.confirmed() == 200);
}

TEST_CASE("sync set: a member that stays behind is to leave, one that follows under load is not") {
  SyncSetConfig config;
  config.not_caught_up_max = 1s;
  Reign reign({1, 2, 3}, config);
  reign.connect(2, 100);
  reign.connect(3, 100);
  for (int i = 1; i <= 20; ++i) {
    reign.own(100 + i * 10);
    reign.now += 100ms;
    REQUIRE(reign.ack(2, 100 + (i - 1) * 10));  // always one step behind
    REQUIRE(reign.ack(3, 101));
  }
  CHECK(reign.proposed(1ms) == ReplicaIds{1, 2});
}

TEST_CASE("sync set: members whom the controller took for dead leave at once") {
  Reign reign({1, 2, 3}, {}, {2, 3});
  reign.connect(3, 100);
  CHECK(reign.proposed(1ms) == ReplicaIds{1, 3});
}

TEST_CASE("sync set: an expansion that may still come true is replaced before it is forgotten") {
  Reign reign({1});
  reign.connect(2, 100);
  CHECK(reign.proposed() == ReplicaIds{1, 2});
  reign.set.on_disconnected(2, 1, reign.now);
  reign.own(200);
  CHECK(reign.confirmed() == 100);
  // Whether it was refused or lost: a new set epoch for the set as it is ends it.
  CHECK(reign.proposed() == ReplicaIds{1});
  CHECK(reign.confirmed() == 100);
  reign.accept({1}, 8);
  CHECK(reign.confirmed() == 200);
  CHECK(reign.proposed().empty());
}

TEST_CASE("sync set: the controller's word counts in this epoch, and when it is newer") {
  Reign reign({1, 2});
  reign.set.on_set(Epoch{4}, {1}, SetEpoch{20});
  reign.set.on_set(kEpoch, {1}, SetEpoch{7});
  CHECK(reign.set.members() == ReplicaIds{1, 2});
  reign.set.on_set(kEpoch, {1, 3}, SetEpoch{9});
  CHECK(reign.set.members() == ReplicaIds{1, 3});
  CHECK(reign.set.set_epoch() == SetEpoch{9});
}

TEST_CASE("sync set: with too few members nothing is written, and nothing is acknowledged") {
  SyncSetConfig config;
  config.min_in_sync = 2;
  Reign reign({1, 2}, config);
  CHECK(reign.set.may_write());
  reign.connect(2, 100);
  reign.own(200);
  reign.set.on_disconnected(2, 1, reign.now);
  CHECK(reign.proposed() == ReplicaIds{1});
  reign.accept({1}, 8);
  const Result<> refused = reign.set.may_write();
  CHECK(refused.error().code == ReplicationErrc::NotEnoughInSync);
  CHECK(refused.error().detail == "1 of 2 in the SyncStateSet {1}");
  // One copy is confirmed, because the set is one; senders were promised two.
  CHECK(reign.confirmed() == 200);
  CHECK(reign.set.acknowledged() == PhysicalOffset{100});
  reign.connect(2, 200, 2);
  CHECK(reign.proposed() == ReplicaIds{1, 2});
  reign.accept({1, 2}, 9);
  CHECK(reign.set.acknowledged() == PhysicalOffset{200});
}

TEST_CASE("sync set: how many members are wanted changes in a reign") {
  Reign reign({1});
  reign.own(200);
  CHECK(reign.set.acknowledged() == PhysicalOffset{200});
  reign.set.set_min_in_sync(2);
  CHECK(reign.set.may_write().error().code == ReplicationErrc::NotEnoughInSync);
  reign.own(300);
  CHECK(reign.set.acknowledged() == PhysicalOffset{200});
  reign.set.set_min_in_sync(1);
  CHECK(reign.set.may_write());
  CHECK(reign.set.acknowledged() == PhysicalOffset{300});
}

TEST_CASE("sync set: without a controller the set stays, and the connected are counted") {
  SyncSetConfig config;
  config.fixed = true;
  config.min_in_sync = 2;
  Reign reign({1, 2, 3}, config);
  CHECK(reign.set.may_write().error().detail == "1 of 2 connected");
  reign.connect(2, 100);
  CHECK(reign.set.may_write());
  reign.connect(3, 100);
  reign.connect(4, 100);
  reign.own(200);
  REQUIRE(reign.ack(2, 200));
  reign.set.on_disconnected(3, 1, reign.now);
  CHECK(reign.proposed(1h).empty());
  CHECK(reign.confirmed() == 100);
  reign.accept({1, 2}, 8);
  CHECK(reign.set.members() == ReplicaIds{1, 2, 3});
}
