#include "replication/election.h"

#include <doctest/doctest.h>

#include <ostream>

using namespace rmq;
using namespace rmq::replication;

namespace {

Standing at(std::int32_t epoch, std::int64_t end, std::int32_t priority = 0) {
  return {Epoch{epoch}, PhysicalOffset{end}, priority};
}

// Replicas 1 to 4; 1 is master in epoch 5; 1 to 3 are in sync.
BrokerSet four_replicas() {
  BrokerSet set;
  set.name = "broker";
  for (ReplicaId id = 1; id <= 4; ++id) set.replicas[id] = {};
  set.master = 1;
  set.epoch = Epoch{5};
  set.members = {1, 2, 3};
  set.set_epoch = SetEpoch{8};
  return set;
}

std::optional<ReplicaId> winner(const LiveReplicas& alive, const Election& election = {}) {
  const Applied<ReignInfo> applied = elect(four_replicas(), election, {alive, {}, false});
  return applied.answer ? applied.value.master : std::nullopt;
}

}  // namespace

TEST_CASE("election: a set that never had a master takes who asks first") {
  BrokerSet set;
  set.replicas[1] = {};
  set.replicas[2] = {};
  CHECK(elect(set, {}, {}).answer.error().code == ControllerErrc::MasterNotAvailable);
  Election election;
  election.asked_by = 3;
  CHECK(elect(set, election, {}).answer.error().code == ControllerErrc::NeedsRegistration);
  election.asked_by = 2;
  const Applied<ReignInfo> applied = elect(set, election, {});
  REQUIRE(applied.answer);
  CHECK(applied.answer->master == 2);
  CHECK(applied.answer->epoch == Epoch{1});
  CHECK(applied.answer->members == ReplicaIds{2});
}

TEST_CASE("election: newest epoch, then longest log, then lowest priority, then lowest id") {
  CHECK(winner({{2, at(5, 100)}, {3, at(4, 900)}}) == 2);
  CHECK(winner({{2, at(5, 100)}, {3, at(5, 101)}}) == 3);
  CHECK(winner({{2, at(5, 100, 9)}, {3, at(5, 100, 1)}}) == 3);
  CHECK(winner({{2, at(5, 100)}, {3, at(5, 100)}}) == 2);
  // RocketMQ takes the difference for an int.
  CHECK(winner({{2, at(5, 5'000'000'000)}, {3, at(5, 100)}}) == 2);
}

TEST_CASE("election: a new epoch; the set stays, its dead are named") {
  const Applied<ReignInfo> applied =
      elect(four_replicas(), {}, {{{2, at(5, 100)}, {3, at(5, 90)}}, {1}, false});
  REQUIRE(applied.changed);
  CHECK(applied.value.epoch == Epoch{6});
  CHECK(applied.value.members == ReplicaIds{1, 2, 3});
  CHECK(applied.value.set_epoch == SetEpoch{9});
  CHECK(applied.answer->dead == ReplicaIds{1});
}

TEST_CASE("election: who is not in the set is no candidate, unless it may be unclean") {
  const LiveReplicas alive{{4, at(5, 100)}};
  Election election;
  election.asked_by = 4;
  const Applied<ReignInfo> asked = elect(four_replicas(), election, {alive, {}, false});
  CHECK(asked.answer.error().code == ControllerErrc::ElectionFailed);
  CHECK(!asked.changed);
  // The controller's own attempt takes the dead master off the record.
  const Applied<ReignInfo> own = elect(four_replicas(), {}, {alive, {}, false});
  CHECK(own.answer.error().code == ControllerErrc::MasterNotAvailable);
  REQUIRE(own.changed);
  CHECK(!own.value.master);
  CHECK(own.value.members == ReplicaIds{1, 2, 3});
  CHECK(own.value.epoch == Epoch{5});
  CHECK(!elect(own.value, {}, {alive, {}, false}).changed);

  election.unclean = true;
  const Applied<ReignInfo> unclean = elect(four_replicas(), election, {alive, {}, false});
  CHECK(unclean.value.master == 4);
  CHECK(unclean.value.members == ReplicaIds{4});
}

TEST_CASE("election: a living master stays, unless another is wanted") {
  const LiveReplicas alive{{1, at(5, 100)}, {2, at(5, 200)}, {4, at(5, 300)}};
  Election election;
  election.asked_by = 2;
  CHECK(elect(four_replicas(), election, {alive, {}, true}).answer.error().code ==
        ControllerErrc::MasterStillExists);
  election.designate = 2;
  CHECK(elect(four_replicas(), election, {alive, {}, true}).value.master == 2);
  election.designate = 1;
  CHECK(elect(four_replicas(), election, {alive, {}, true}).answer.error().code ==
        ControllerErrc::MasterStillExists);
  election.designate = 3;  // dead
  CHECK(elect(four_replicas(), election, {alive, {}, true}).answer.error().code ==
        ControllerErrc::ElectionFailed);
  election.designate = 4;  // not in the set
  CHECK(elect(four_replicas(), election, {alive, {}, true}).answer.error().code ==
        ControllerErrc::ElectionFailed);
}

TEST_CASE("election: a master that says that its reign is over does not come before others") {
  const LiveReplicas alive{{1, at(5, 100)}, {2, at(5, 200)}};
  Election election;
  election.asked_by = 1;
  election.over = Epoch{5};
  CHECK(elect(four_replicas(), election, {alive, {}, true}).value.master == 2);
  const Applied<ReignInfo> alone = elect(four_replicas(), election, {{{1, at(5, 100)}}, {}, true});
  CHECK(alone.value.master == 1);
  CHECK(alone.value.epoch == Epoch{6});
  // Said of an older reign it is no news.
  election.over = Epoch{4};
  CHECK(elect(four_replicas(), election, {alive, {}, true}).answer.error().code ==
        ControllerErrc::MasterStillExists);
}
