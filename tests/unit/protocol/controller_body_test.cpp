#include "protocol/controller_body.h"

#include <doctest/doctest.h>

#include <ostream>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {

TEST_CASE("controller body: a SyncStateSet") {
  const SyncStateSetBody set{.ids = {1, 3}, .epoch = 5};
  const std::string text = R"({"syncStateSet":[1,3],"syncStateSetEpoch":5})";
  CHECK(encode_sync_state_set(set) == text);
  CHECK(decode_sync_state_set(text).value() == set);
  CHECK(decode_sync_state_set(R"({"syncStateSet":["1"]})").value() ==
        SyncStateSetBody{.ids = {1}, .epoch = 0});
  for (const char* bad : {"", "[]", "{}", R"({"syncStateSet":1})", R"({"syncStateSet":["x"]})"}) {
    CAPTURE(bad);
    CHECK(decode_sync_state_set(bad).error().code == ProtocolErrc::BodyMalformed);
  }
}

TEST_CASE("controller body: the answer to an election") {
  ElectMasterBody body;
  body.ids = {2};
  CHECK(encode_elect_master(body) == R"({"syncStateSet":[2]})");
  CHECK(decode_elect_master(R"({"syncStateSet":[2]})").value() == body);
  body.group = BrokerMemberGroup{.cluster = "c", .broker_name = "b", .broker_addrs = {}};
  body.group->broker_addrs = {{1, "h:1"}, {2, "h:2"}};
  const std::string text =
      R"({"brokerMemberGroup":{"brokerAddrs":{1:"h:1",2:"h:2"},"brokerName":"b","cluster":"c"},)"
      R"("syncStateSet":[2]})";
  CHECK(encode_elect_master(body) == text);
  CHECK(decode_elect_master(text).value() == body);
  CHECK_FALSE(decode_elect_master(R"({"syncStateSet":[2],"brokerMemberGroup":{"brokerAddrs":)"
                                  R"({"x":"h:1"}}})"));
  CHECK_FALSE(decode_elect_master("{}"));
}

TEST_CASE("controller body: replicas of sets") {
  ReplicasOfSets sets;
  sets["b"].master_id = 1;
  sets["b"].master_address = "h:1";
  sets["b"].master_epoch = 3;
  sets["b"].set_epoch = 4;
  sets["b"].in_sync = {{.id = 1, .address = "h:1", .alive = true}};
  sets["b"].not_in_sync = {{.id = 2, .address = "h:2", .alive = false},
                           {.id = 3, .address = "h:3", .alive = false, .unheard = true}};
  sets["nobody"].master_epoch = 1;
  const std::string text =
      R"({"replicasInfoTable":{"b":{"inSyncReplicas":[{"alive":true,"brokerAddress":"h:1",)"
      R"("brokerId":1,"brokerName":"b"}],"masterAddress":"h:1","masterBrokerId":1,)"
      R"("masterEpoch":3,"notInSyncReplicas":[{"alive":false,"brokerAddress":"h:2",)"
      R"("brokerId":2,"brokerName":"b"},{"alive":false,"brokerAddress":"h:3",)"
      R"("brokerId":3,"brokerName":"b","rmqUnheard":true}],"syncStateSetEpoch":4},"nobody":{"inSyncReplicas":[],)"
      R"("masterEpoch":1,"notInSyncReplicas":[],"syncStateSetEpoch":0}}})";
  CHECK(encode_replicas(sets) == text);
  CHECK(decode_replicas(text).value() == sets);
  CHECK_FALSE(decode_replicas("{}"));
  CHECK_FALSE(decode_replicas("nonsense"));
}

TEST_CASE("controller body: names and ids") {
  CHECK(encode_broker_names({"a", "b"}) == R"(["a","b"])");
  CHECK(decode_broker_names(R"(["a","b"])").value() == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(decode_broker_names(R"({"a":1})"));
  CHECK_FALSE(decode_broker_names("["));
  CHECK(parse_ids("", ',').value().empty());
  CHECK(parse_ids("1,20", ',').value() == std::vector<std::int64_t>{1, 20});
  for (const char* bad : {"x", "1,", ",", "1;2", "1 ", "99999999999999999999"}) {
    CAPTURE(bad);
    const auto ids = parse_ids(bad, ',');
    if (std::string(bad) == "1,") {
      CHECK(ids.value() == std::vector<std::int64_t>{1});  // as Java's split()
    } else {
      CHECK(ids.error().code == ProtocolErrc::FieldMalformed);
    }
  }
  CHECK(join_ids({1, 20}, ',') == "1,20");
}

}  // namespace rmq::protocol
