#include "replication/broker_set.h"

#include <doctest/doctest.h>

#include <ostream>

using namespace rmq;
using namespace rmq::replication;

namespace {

// Replicas 1 to 3; 2 is master in epoch 5, with 1 in sync.
BrokerSet three_replicas() {
  BrokerSet set;
  set.cluster = "cluster";
  set.name = "broker";
  for (ReplicaId id = 1; id <= 3; ++id) {
    set.replicas[id] = {"host" + std::to_string(id), "code" + std::to_string(id)};
  }
  set.master = 2;
  set.epoch = Epoch{5};
  set.members = {1, 2};
  set.set_epoch = SetEpoch{8};
  set.next_id = 4;
  set.version = 30;
  return set;
}

SetProposal proposal_of(ReplicaIds members) { return {2, Epoch{5}, SetEpoch{8}, members}; }

ControllerErrc why_not_alter(const SetProposal& proposal, const ReplicaIds& alive) {
  const BrokerSet set = three_replicas();
  const Applied<ReignInfo> applied = alter_sync_state_set(set, proposal, alive);
  REQUIRE(!applied.answer);
  CHECK(!applied.changed);
  CHECK(applied.value == set);
  return static_cast<ControllerErrc>(applied.answer.error().code.value());
}

}  // namespace

TEST_CASE("refusals are RocketMQ's response codes") {
  CHECK(response_code(ControllerErrc::FencedMasterEpoch) == 2000);
  CHECK(response_code(ControllerErrc::InvalidMaster) == 2002);
  CHECK(response_code(ControllerErrc::BrokerNotAlive) == 2006);
  CHECK(response_code(ControllerErrc::NeedsRegistration) == 2010);
  CHECK(response_code(ControllerErrc::MasterStillExists) == 2011);
  CHECK(response_code(ControllerErrc::ElectionFailed) == 2012);
  CHECK(response_code(ControllerErrc::LiveInfoNotExist) == 2016);
}

TEST_CASE("broker ids: the first is 1, the same code may ask again, nobody else") {
  BrokerSet set;
  CHECK(next_broker_id(set) == 1);
  CHECK(apply_broker_id(set, {2, "a"}).answer.error().code == ControllerErrc::BrokerIdInvalid);
  const Applied<ReplicaId> first = apply_broker_id(set, {1, "a"});
  REQUIRE(first.changed);
  CHECK(first.value.version == 1);
  set = first.value;
  CHECK(next_broker_id(set) == 2);

  const Applied<ReplicaId> again = apply_broker_id(set, {1, "a"});
  CHECK(again.answer.value() == 1);
  CHECK(!again.changed);
  CHECK(apply_broker_id(set, {1, "b"}).answer.error().code == ControllerErrc::BrokerIdInvalid);
  CHECK(apply_broker_id(set, {0, "b"}).answer.error().code == ControllerErrc::BrokerIdInvalid);
  CHECK(apply_broker_id(set, {2, "b"}).value.ids() == ReplicaIds{1, 2});
}

TEST_CASE("registration notes the address, and tells who is master") {
  const BrokerSet set = three_replicas();
  CHECK(register_broker(set, {9, "host9"}).answer.error().code ==
        ControllerErrc::NeedsRegistration);
  const Applied<ReignInfo> same = register_broker(set, {3, "host3"});
  CHECK(!same.changed);
  CHECK(same.answer->master == 2);
  CHECK(same.answer->master_address == "host2");
  CHECK(same.answer->replicas == ReplicaIds{1, 2, 3});
  const Applied<ReignInfo> moved = register_broker(set, {2, "elsewhere"});
  CHECK(moved.changed);
  CHECK(moved.answer->master_address == "elsewhere");
}

TEST_CASE("alter the SyncStateSet: accepted with a new set epoch") {
  const BrokerSet set = three_replicas();
  const Applied<ReignInfo> grown = alter_sync_state_set(set, proposal_of({1, 2, 3}), {1, 2, 3});
  REQUIRE(grown.changed);
  CHECK(grown.value.members == ReplicaIds{1, 2, 3});
  CHECK(grown.value.set_epoch == SetEpoch{9});
  CHECK(grown.value.epoch == Epoch{5});
  CHECK(grown.value.version == 31);
  CHECK(grown.answer->set_epoch == SetEpoch{9});
  // Who leaves need not be alive.
  CHECK(alter_sync_state_set(set, proposal_of({2}), {2}).value.members == ReplicaIds{2});
}

TEST_CASE("alter the SyncStateSet: the same set again ends older proposals") {
  const BrokerSet set = three_replicas();
  const Applied<ReignInfo> same = alter_sync_state_set(set, proposal_of({1, 2}), {1, 2});
  REQUIRE(same.changed);
  const Applied<ReignInfo> late =
      alter_sync_state_set(same.value, proposal_of({1, 2, 3}), {1, 2, 3});
  CHECK(late.answer.error().code == ControllerErrc::FencedSetEpoch);
}

TEST_CASE("alter the SyncStateSet: refusals") {
  const ReplicaIds all{1, 2, 3};
  SetProposal proposal = proposal_of({1, 2, 3});
  proposal.master = 1;
  CHECK(why_not_alter(proposal, all) == ControllerErrc::InvalidMaster);
  proposal = proposal_of({1, 2, 3});
  proposal.epoch = Epoch{4};
  CHECK(why_not_alter(proposal, all) == ControllerErrc::FencedMasterEpoch);
  proposal = proposal_of({1, 2, 3});
  proposal.set_epoch = SetEpoch{7};
  CHECK(why_not_alter(proposal, all) == ControllerErrc::FencedSetEpoch);
  CHECK(why_not_alter(proposal_of({1, 2, 4}), {1, 2, 4}) == ControllerErrc::InvalidReplicas);
  CHECK(why_not_alter(proposal_of({1, 2, 3}), {1, 2}) == ControllerErrc::BrokerNotAlive);
  CHECK(why_not_alter(proposal_of({1, 3}), all) == ControllerErrc::AlterSetFailed);
}

TEST_CASE("clean: the dead are forgotten, the living only when asked for") {
  const BrokerSet set = three_replicas();
  CHECK(clean(set, {{1}, false}, {1, 2}).answer.error().code == ControllerErrc::InvalidClean);
  CHECK(clean(set, {{7}, false}, {}).answer.error().code == ControllerErrc::InvalidClean);
  CHECK(clean({}, {}, {}).answer.error().code == ControllerErrc::MetadataNotExist);

  const Applied<ReignInfo> one = clean(set, {{1}, false}, {2});
  CHECK(one.value.ids() == ReplicaIds{2, 3});
  CHECK(one.value.members == ReplicaIds{2});
  CHECK(one.value.set_epoch == SetEpoch{9});
  CHECK(one.value.master == 2);
  CHECK(clean(set, {{3}, false}, {1, 2}).value.set_epoch == SetEpoch{8});

  const Applied<ReignInfo> all = clean(set, {{}, true}, {1, 2, 3});
  CHECK(all.value.replicas.empty());
  CHECK(!all.value.master);
  CHECK(all.value.epoch == Epoch{5});  // an id that is used again starts no old epoch
}
