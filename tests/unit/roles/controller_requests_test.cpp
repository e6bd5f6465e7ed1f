// Every request of a controller, with good and bad input.
#include <doctest/doctest.h>

#include "tests/support/controller_fixture.h"

namespace rmq::roles::controller {

TEST_CASE_FIXTURE(ControllerFixture, "controller: an id is proposed, applied for, and kept") {
  start();
  const Command proposed = next_id();
  CHECK(is(proposed, ResponseCode::Success));
  CHECK(field(proposed, "clusterName") == "c");
  CHECK(field(proposed, "brokerName") == "b");
  CHECK(field(proposed, "nextBrokerId") == "1");
  CHECK(is(info(), ResponseCode::ControllerBrokerMetadataNotExist));  // nothing was made

  const Command second_first = apply(2, "x");
  CHECK(is(second_first, ResponseCode::ControllerBrokerIdInvalid));
  CHECK(second_first.remark ==
        "Broker-set: b hasn't been registered in controller, but broker try to apply brokerId: 2");
  CHECK(field(second_first, "brokerName") == "b");

  const Command applied = apply(1, "1.1.1.1:1;5");
  CHECK(is(applied, ResponseCode::Success));
  CHECK(field(applied, "clusterName") == "c");
  CHECK(is(apply(1, "1.1.1.1:1;5"), ResponseCode::Success));  // it did not hear the answer
  const Command taken = apply(1, "1.1.1.2:1;5");
  CHECK(is(taken, ResponseCode::ControllerBrokerIdInvalid));
  CHECK(taken.remark == "Fail to apply brokerId: 1 in broker-set: b");
  CHECK(field(next_id(), "nextBrokerId") == "2");
  CHECK(field(next_id("other"), "nextBrokerId") == "1");

  CHECK(is(apply(1, "x", ""), ResponseCode::ControllerInvalidRequest));
  CHECK(is(ask(RequestCode::ControllerApplyBrokerId, NoFields{}), ResponseCode::InvalidParameter));
  CHECK(
      is(ask(RequestCode::ControllerGetNextBrokerId, NoFields{}), ResponseCode::InvalidParameter));
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: registration notes the address") {
  start();
  Replica replica(1);
  const Command unknown_set = register_broker(replica);
  CHECK(is(unknown_set, ResponseCode::ControllerBrokerNeedToBeRegistered));
  CHECK(unknown_set.remark == "Broker-set: b hasn't been registered in controller");
  REQUIRE(is(apply(1, "x"), ResponseCode::Success));
  Replica other(2);
  const Command unknown_id = register_broker(other);
  CHECK(is(unknown_id, ResponseCode::ControllerBrokerNeedToBeRegistered));
  CHECK(unknown_id.remark == "BrokerId: 2 hasn't been registered in broker-set: b");

  const Command registered = register_broker(replica);
  CHECK(is(registered, ResponseCode::Success));
  CHECK(field(registered, "brokerName") == "b");
  CHECK(field(registered, "masterBrokerId") == "none");
  CHECK(field(registered, "syncStateSetEpoch") == "none");
  CHECK(text(registered) == R"({"syncStateSet":[],"syncStateSetEpoch":0})");
  CHECK(is(ask(RequestCode::ControllerRegisterBroker, NoFields{}), ResponseCode::InvalidParameter));

  REQUIRE(is(beat(replica), ResponseCode::Success));
  REQUIRE(is(elect(replica), ResponseCode::Success));
  const Command again = register_broker(replica);
  CHECK(field(again, "masterBrokerId") == "1");
  CHECK(field(again, "masterAddress") == replica.address);
  CHECK(field(again, "masterEpoch") == "1");
  CHECK(field(again, "syncStateSetEpoch") == "1");
  CHECK(text(again) == R"({"syncStateSet":[1],"syncStateSetEpoch":1})");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: heartbeats") {
  start();
  Replica replica(1);
  const Command answer = beat(replica);  // not on record: answered, not noted
  CHECK(is(answer, ResponseCode::Success));
  CHECK(answer.remark == "Heart beat success");
  protocol::BrokerHeartbeatRequest without_id;
  without_id.cluster_name = "c";
  without_id.broker_name = "b";
  without_id.broker_addr = "1.1.1.1:1";
  const Command refused = ask(RequestCode::BrokerHeartbeat, without_id);
  CHECK(is(refused, ResponseCode::ControllerInvalidRequest));
  CHECK(refused.remark == "Heart beat with empty brokerId");
  CHECK(is(ask(RequestCode::BrokerHeartbeat, NoFields{}), ResponseCode::InvalidParameter));

  REQUIRE(is(apply(1, "x"), ResponseCode::Success));
  const auto state = [&] {
    return text(ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"(["b"])"));
  };
  CHECK(state().find(R"("alive":false)") != std::string::npos);
  CHECK(is(beat(replica), ResponseCode::Success));
  CHECK(state().find(R"("alive":true)") != std::string::npos);
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: the first to ask is the first master") {
  start();
  Replica stranger(7);
  const Command unknown = elect(stranger);
  CHECK(is(unknown, ResponseCode::ControllerBrokerNeedToBeRegistered));
  CHECK(unknown.remark == "Broker hasn't been registered");
  const auto one = join(1);
  const auto two = join(2);
  CHECK(reign() == "none epoch 0 {} 0");

  const Command elected = elect(*two);
  CHECK(is(elected, ResponseCode::Success));
  CHECK(field(elected, "masterBrokerId") == "2");
  CHECK(field(elected, "masterAddress") == two->address);
  CHECK(field(elected, "masterEpoch") == "1");
  CHECK(field(elected, "syncStateSetEpoch") == "1");
  CHECK(field(elected, "dead") == "none");
  CHECK(text(elected) == R"({"brokerMemberGroup":{"brokerAddrs":{1:")" + one->address + R"(",2:")" +
                             two->address +
                             R"("},"brokerName":"b","cluster":"c"},"syncStateSet":[2]})");
  // All who live are told, also the one who asked.
  const std::string notice =
      "2 " + two->address + R"( 1 1 - {"syncStateSet":[2],"syncStateSetEpoch":1})";
  CHECK(one->notice(0) == notice);
  CHECK(two->notice(0) == notice);

  const Command later = elect(*one);
  CHECK(is(later, ResponseCode::ControllerMasterStillExist));
  CHECK(later.remark ==
        "The old master 2 is still alive, not need to elect new master for broker b");
  CHECK(field(later, "masterBrokerId") == "2");
  CHECK(field(later, "masterAddress") == two->address);
  CHECK(field(later, "masterEpoch") == "1");
  CHECK(text(later) == R"({"syncStateSet":[2]})");
  CHECK(reign() == "2 epoch 1 {2} 1");

  // The reign ended with its process: the same one may have the next.
  const Command over = elect(*two, 1);
  CHECK(is(over, ResponseCode::Success));
  CHECK(reign() == "2 epoch 2 {2} 2");
  CHECK(is(elect(*two, 1), ResponseCode::ControllerMasterStillExist));  // that one is long over
  CHECK(is(ask(RequestCode::ControllerElectMaster, NoFields{}), ResponseCode::InvalidParameter));
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: an operator names the master") {
  start();
  CHECK(is(designate(1), ResponseCode::ControllerBrokerNeedToBeRegistered));
  make_pair();
  const Command same = designate(1);
  CHECK(is(same, ResponseCode::ControllerMasterStillExist));
  const Command unknown = designate(9);
  CHECK(is(unknown, ResponseCode::ControllerElectMasterFailed));
  CHECK(unknown.remark == "Failed to elect a new master");
  const Command elected = designate(2);
  CHECK(is(elected, ResponseCode::Success));
  CHECK(field(elected, "masterBrokerId") == "2");
  CHECK(reign() == "2 epoch 2 {1,2} 3");
  const auto third = join(3);
  CHECK(is(designate(3), ResponseCode::ControllerElectMasterFailed));  // not in the set
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: an operator may name the first master too") {
  start();
  const auto one = join(1);
  const auto two = join(2);
  CHECK(is(designate(9), ResponseCode::ControllerElectMasterFailed));
  CHECK(is(designate(2), ResponseCode::Success));
  CHECK(reign() == "2 epoch 1 {2} 1");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: the SyncStateSet changes, or why it does not") {
  start();
  Replica stranger(1);
  const Command no_set = alter(stranger, 1, 1, {1});
  CHECK(is(no_set, ResponseCode::ControllerAlterSyncStateSetFailed));
  CHECK(no_set.remark == "Broker metadata is not existed");
  make_pair();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  const Command shrunk = alter(*first, 1, 2, {1});
  CHECK(is(shrunk, ResponseCode::Success));
  CHECK(field(shrunk, "newSyncStateSetEpoch") == "3");
  CHECK(text(shrunk) == R"({"syncStateSet":[1],"syncStateSetEpoch":3})");
  CHECK(is(alter(*first, 1, 3, {1}), ResponseCode::Success));  // decision 0018
  CHECK(reign() == "1 epoch 1 {1} 4");

  const auto refused = [&](const Command& answer, ResponseCode code, const std::string& rest) {
    CHECK(is(answer, code));
    CHECK(answer.remark == "Rejecting alter syncStateSet request because the " + rest);
  };
  refused(alter(*second, 1, 4, {1, 2}), ResponseCode::ControllerInvalidMaster,
          "current leader is:{1}, not {2}");
  refused(alter(*first, 2, 4, {1, 2}), ResponseCode::ControllerFencedMasterEpoch,
          "current master epoch is:{1}, not {2}");
  refused(alter(*first, 1, 3, {1, 2}), ResponseCode::ControllerFencedSyncStateSetEpoch,
          "current syncStateSet epoch is:{4}, not {3}");
  refused(alter(*first, 1, 4, {1, 5}), ResponseCode::ControllerInvalidReplicas,
          "replicas {5} don't exist");
  refused(alter(*first, 1, 4, {2}), ResponseCode::ControllerAlterSyncStateSetFailed,
          "newSyncStateSet don't contains origin leader {1}");
  clock.advance(900ms);
  beat(*first);
  clock.advance(200ms);
  refused(alter(*first, 1, 4, {1, 2}), ResponseCode::ControllerBrokerNotAlive,
          "replicas {2} don't alive");
  CHECK(reign() == "1 epoch 1 {1} 4");

  const protocol::ControllerAlterSyncStateSetRequest header{.broker_name = "b",
                                                            .master_broker_id = 1};
  CHECK(is(ask(RequestCode::ControllerAlterSyncStateSet, header), ResponseCode::SystemError));
  CHECK(is(ask(RequestCode::ControllerAlterSyncStateSet, header, R"({"syncStateSet":["x"]})"),
           ResponseCode::SystemError));
  CHECK(is(ask(RequestCode::ControllerAlterSyncStateSet, NoFields{}, R"({"syncStateSet":[1]})"),
           ResponseCode::InvalidParameter));
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: replica info") {
  start();
  const Command unknown = info();
  CHECK(is(unknown, ResponseCode::ControllerBrokerMetadataNotExist));
  CHECK(unknown.remark == "Broker metadata is not existed");
  CHECK(is(ask(RequestCode::ControllerGetReplicaInfo, NoFields{}), ResponseCode::InvalidParameter));
  make_pair();
  const Command known = info();
  CHECK(field(known, "masterBrokerId") == "1");
  CHECK(field(known, "masterAddress") == first->address);
  CHECK(field(known, "masterEpoch") == "1");
  CHECK(text(known) == R"({"syncStateSet":[1,2],"syncStateSetEpoch":2})");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: sync state data") {
  start();
  make_pair();
  const auto third = join(3);
  const auto replica = [&](const Replica& of, std::string_view alive) {
    return R"({"alive":)" + std::string(alive) + R"(,"brokerAddress":")" + of.address +
           R"(","brokerId":)" + std::to_string(of.id) + R"(,"brokerName":"b"})";
  };
  const std::string all = R"({"replicasInfoTable":{"b":{"inSyncReplicas":[)" +
                          replica(*first, "true") + "," + replica(*second, "true") +
                          R"(],"masterAddress":")" + first->address +
                          R"(","masterBrokerId":1,"masterEpoch":1,"notInSyncReplicas":[)" +
                          replica(*third, "true") + R"(],"syncStateSetEpoch":2}}})";
  CHECK(text(ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"(["b","x"])")) == all);
  CHECK(text(ask(RequestCode::ControllerGetSyncStateData, NoFields{})) == all);
  CHECK(text(ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"(["x"])")) ==
        R"({"replicasInfoTable":{}})");
  CHECK(is(ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"({"a":1})"),
           ResponseCode::SystemError));
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: metadata") {
  config.group = "g";
  config.self_id = "n7";
  start();
  const Command answer = ask(RequestCode::ControllerGetMetadataInfo, NoFields{});
  const std::string address = "127.0.0.1:" + std::to_string(controller->port());
  CHECK(is(answer, ResponseCode::Success));
  CHECK(field(answer, "group") == "g");
  CHECK(field(answer, "controllerLeaderId") == "n7");
  CHECK(field(answer, "controllerLeaderAddress") == address);
  CHECK(field(answer, "isLeader") == "true");
  CHECK(field(answer, "peers") == "n7:" + address + ";");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: replicas are forgotten") {
  start();
  const auto clean = [&](std::string_view ids, bool living = false, std::string_view set = "b") {
    protocol::CleanBrokerDataRequest request;
    request.cluster_name = "c";
    request.broker_name = set;
    request.broker_controller_ids_to_clean = ids;
    request.is_clean_living_broker = living;
    return ask(RequestCode::CleanBrokerData, request);
  };
  const auto refused = [&](const Command& answer, const std::string& remark) {
    CHECK(is(answer, ResponseCode::ControllerInvalidCleanBrokerMetadata));
    CHECK(answer.remark == remark);
  };
  refused(clean(""), "Broker b is not existed,clean broker data failure.");
  make_pair();
  refused(clean(""), "Broker b is still alive, clean up failure");
  refused(clean("2"), "Broker [b,  2] is still alive, clean up failure");
  refused(clean("4"), "Broker [b,  4] is not registered");
  const Command malformed = clean("1;x");
  CHECK(is(malformed, ResponseCode::ControllerInvalidCleanBrokerMetadata));
  CHECK(malformed.remark.starts_with(
      "Please set the option <brokerControllerIdsToClean> according to the format"));
  CHECK(is(ask(RequestCode::CleanBrokerData, NoFields{}), ResponseCode::InvalidParameter));

  CHECK(is(clean("2", true), ResponseCode::Success));  // only this one
  CHECK(reign() == "1 epoch 1 {1} 3");
  CHECK(is(beat(*second), ResponseCode::Success));
  CHECK(is(register_broker(*second), ResponseCode::ControllerBrokerNeedToBeRegistered));
  CHECK(field(next_id(), "nextBrokerId") == "3");  // ids are not given out again

  CHECK(is(clean("", true), ResponseCode::Success));
  CHECK(is(info(), ResponseCode::ControllerBrokerMetadataNotExist));
  CHECK(field(next_id(), "nextBrokerId") == "1");  // all is forgotten, as in RocketMQ
  const auto fresh = join(1);
  CHECK(is(elect(*fresh), ResponseCode::Success));
  CHECK(reign() == "1 epoch 1 {1} 1");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: settings are shown and changed") {
  config.other_keys = {{"controllerThreadPoolNums", "7"}};
  start();
  const std::string before = text(ask(RequestCode::GetControllerConfig, NoFields{}));
  CHECK(before.find("controllerDLegerSelfId=n0\n") != std::string::npos);
  CHECK(before.find("enableElectUncleanMaster=false\n") != std::string::npos);
  CHECK(before.find("controllerThreadPoolNums=7\n") != std::string::npos);
  const auto update = [&](std::string_view settings) {
    return ask(RequestCode::UpdateControllerConfig, NoFields{}, settings);
  };
  CHECK(is(update("enableElectUncleanMaster=true\nunknownKey=1\n"), ResponseCode::Success));
  CHECK(text(ask(RequestCode::GetControllerConfig, NoFields{}))
            .find("enableElectUncleanMaster=true\n") != std::string::npos);
  CHECK(is(update("enableElectUncleanMaster=false\nrocketmqHome=/\n"), ResponseCode::NoPermission));
  CHECK(is(update("enableElectUncleanMaster=perhaps\n"), ResponseCode::SystemError));
  CHECK(is(update("controllerDLegerSelfId=n1\n"), ResponseCode::SystemError));
  CHECK(text(ask(RequestCode::GetControllerConfig, NoFields{}))
            .find("enableElectUncleanMaster=true\n") != std::string::npos);
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: what is not served") {
  start();
  CHECK(
      is(ask(RequestCode::GetBrokerEpochCache, NoFields{}), ResponseCode::RequestCodeNotSupported));
}

}  // namespace rmq::roles::controller
