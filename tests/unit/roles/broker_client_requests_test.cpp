// What clients say about themselves, through a broker's port: heartbeats, membership, queue locks.
#include <set>

#include "tests/support/broker_member.h"

namespace rmq::roles::broker {
namespace {

using protocol::GetConsumerConnectionListRequest;
using protocol::GetConsumerListByGroupRequest;
using protocol::GetProducerConnectionListRequest;
using protocol::LockBatchBody;
using protocol::MessageQueue;
using Ids = std::set<std::string>;

struct Clients : Fixture {
  Clients() { node->call(send_request(send_header("T"), "x")); }

  Command list(std::string_view group) {
    return node->call(
        protocol::make_request(RequestCode::GetConsumerListByGroup,
                               GetConsumerListByGroupRequest{.consumer_group = group}));
  }
  Ids members(std::string_view group) {
    const Command answer = list(group);
    REQUIRE(answer.code == 0);
    const auto ids = protocol::decode_consumer_list(as_text(answer.body));
    REQUIRE(ids);
    return {ids->begin(), ids->end()};
  }
};

}  // namespace

TEST_CASE_FIXTURE(Clients, "client requests: a group hears who joins and who leaves") {
  const Command nobody = list("g");
  CHECK(nobody.code == 1);
  CHECK(nobody.remark == "no consumer for this group, g");

  BrokerMember first{*node, "first"};
  first.join("g");
  const auto told = [](BrokerMember& member) {
    const Command notice = member.wait_for(RequestCode::NotifyConsumerIdsChanged);
    CHECK((notice.flag & 2) != 0);  // one way
    CHECK(field(notice, "consumerGroup") == "g");
  };
  told(first);
  CHECK(members("g") == Ids{"first"});
  CHECK(node->broker.topics.find("%RETRY%g").has_value());
  {
    BrokerMember second{*node, "second"};
    second.join("g");
    told(first);
    told(second);
    CHECK(members("g") == Ids{"first", "second"});
  }
  told(first);  // the connection of the second is closed
  CHECK(members("g") == Ids{"first"});
  first.leave("g");
  CHECK(list("g").code == 1);
}

TEST_CASE_FIXTURE(Clients, "client requests: what a heartbeat is answered") {
  BrokerMember member{*node, "a"};
  protocol::HeartbeatData data;
  data.client_id = "a";
  data.producer_groups = {"p"};
  const Command answer = member.heartbeat(data);
  CHECK(answer.code == 0);
  CHECK(field(answer, "IS_SUPPORT_HEART_BEAT_V2") == "true");
  CHECK(field(answer, "IS_SUB_CHANGE") == "true");
  const auto empty = member.call(RequestCode::HeartBeat, protocol::HeartBeatRequest{}, "{broken");
  CHECK(empty.code == 1);
}

TEST_CASE_FIXTURE(Clients, "client requests: who is connected") {
  GetConsumerConnectionListRequest consumers{.consumer_group = "g"};
  GetProducerConnectionListRequest producers{.producer_group = "p"};
  BrokerMember member{*node, "a"};
  const Command no_consumer = member.call(RequestCode::GetConsumerConnectionList, consumers);
  CHECK(no_consumer.code == 206);
  CHECK(no_consumer.remark == "the consumer group[g] not online");
  const Command no_producer = member.call(RequestCode::GetProducerConnectionList, producers);
  CHECK(no_producer.code == 1);
  CHECK(no_producer.remark == "the producer group[p] not exist");

  member.join("g");
  const auto consumer = protocol::decode_consumer_connection(
      as_text(member.call(RequestCode::GetConsumerConnectionList, consumers).body));
  REQUIRE(consumer);
  REQUIRE(consumer->connections.size() == 1);
  CHECK(consumer->connections[0].client_id == "a");
  CHECK(consumer->connections[0].address.starts_with("127.0.0.1:"));
  CHECK(consumer->subscriptions.contains("T"));

  protocol::HeartbeatData data;
  data.client_id = "a";
  data.producer_groups = {"p"};
  REQUIRE(member.heartbeat(data).code == 0);
  const auto producer = protocol::decode_producer_connection(
      as_text(member.call(RequestCode::GetProducerConnectionList, producers).body));
  REQUIRE(producer);
  REQUIRE(producer->size() == 1);
  CHECK(producer->front().client_id == "a");
}

TEST_CASE_FIXTURE(Clients, "client requests: queues are locked and unlocked") {
  const MessageQueue queue{.topic = "T", .broker_name = "test-broker", .queue_id = 0};
  const auto body = [&](const std::string& client) {
    LockBatchBody locks;
    locks.group = "g";
    locks.client_id = client;
    locks.queues = {queue};
    return protocol::encode_lock_batch(locks);
  };
  BrokerMember member{*node, "a"};
  const auto lock = [&](const std::string& client) {
    const Command answer =
        member.call(RequestCode::LockBatchMq, protocol::LockBatchMqRequest{}, body(client));
    REQUIRE(answer.code == 0);
    return protocol::decode_lock_batch_answer(as_text(answer.body))->size();
  };
  CHECK(lock("a") == 1);
  CHECK(lock("b") == 0);
  const auto unlock = [&](const std::string& client) {
    return member.call(RequestCode::UnlockBatchMq, protocol::UnlockBatchMqRequest{}, body(client))
        .code;
  };
  CHECK(unlock("b") == 0);  // not the owner: nothing happens
  CHECK(lock("b") == 0);
  CHECK(unlock("a") == 0);
  CHECK(lock("b") == 1);
  CHECK(member.call(RequestCode::LockBatchMq, protocol::LockBatchMqRequest{}, "[").code == 1);
}

TEST_CASE_FIXTURE(Clients, "client requests: which filters are served") {
  BrokerMember member{*node, "a"};
  const auto check = [&](const std::string& type) {
    protocol::CheckClientBody body;
    body.client_id = "a";
    body.group = "g";
    body.subscription.emplace();
    body.subscription->topic = "T";
    body.subscription->expression_type = type;
    return member
        .call(RequestCode::CheckClientConfig, protocol::CheckClientConfigRequest{},
              protocol::encode_check_client(body))
        .code;
  };
  CHECK(check("TAG") == 0);
  CHECK(check("SQL92") == 1);
}

}  // namespace rmq::roles::broker
