// Resetting a group's offsets, by the broker itself and by its consumers.
#include "protocol/offset_body.h"
#include "roles/served_request.h"
#include "tests/support/broker_member.h"

namespace rmq::roles::broker {
namespace {

using protocol::InvokeBrokerToGetConsumerStatusRequest;
using protocol::InvokeBrokerToResetOffsetRequest;
using protocol::QueueOffsetMap;

InvokeBrokerToResetOffsetRequest reset_request(std::int64_t timestamp, bool force = true) {
  InvokeBrokerToResetOffsetRequest request;
  request.topic = "T";
  request.group = "g";
  request.timestamp = timestamp;
  request.is_force = force;
  return request;
}

struct Reset : Fixture {
  // Ten messages in queue 0 of four.
  explicit Reset(bool server_side = true) {
    if (!server_side) {
      BrokerConfig config = test_config(directory.path());
      config.use_server_side_reset_offset = false;
      node.reset();
      node = std::make_unique<Node>(config);
    }
    for (int i = 0; i < 10; ++i) node->call(send_request(send_header("T"), "x"));
    node->settle();
    node->broker.groups.find_or_create("g");
  }
  Command reset(const InvokeBrokerToResetOffsetRequest& request) {
    return node->call(protocol::make_request(RequestCode::InvokeBrokerToResetOffset, request));
  }
  // By queue.
  static std::map<QueueId, std::int64_t> offsets_in(const Command& answer) {
    REQUIRE(answer.code == 0);
    const auto body = protocol::decode_reset_offset(as_text(answer.body));
    REQUIRE(body);
    std::map<QueueId, std::int64_t> offsets;
    for (const auto& [queue, offset] : *body) {
      CHECK(queue.topic == "T");
      CHECK(queue.broker_name == "test-broker");
      offsets[queue.queue_id] = offset.value;
    }
    return offsets;
  }
  QueueOffset known() const {
    return node->broker.offsets.find("g", "T", 0).value_or(QueueOffset{-1});
  }
};
struct ResetByClients : Reset {
  ResetByClients() : Reset(false) {}
};

using Offsets = std::map<QueueId, std::int64_t>;

}  // namespace

TEST_CASE_FIXTURE(Reset, "reset: to a time, to the end, to an offset") {
  CHECK(offsets_in(reset(reset_request(0))) == Offsets{{0, 0}, {1, 0}, {2, 0}, {3, 0}});
  CHECK(known() == QueueOffset{0});
  for (const std::int64_t end : {-1, -2}) {
    CHECK(offsets_in(reset(reset_request(end)))[0] == 10);
    CHECK(known() == QueueOffset{10});
  }
  InvokeBrokerToResetOffsetRequest one = reset_request(0);
  one.queue_id = 0;
  CHECK(offsets_in(reset(one)) == Offsets{{0, 0}});
  one.offset = QueueOffset{-1};  // none
  one.timestamp = -1;
  CHECK(offsets_in(reset(one)) == Offsets{{0, 10}});
  one.offset = QueueOffset{11};
  CHECK(offsets_in(reset(one)) == Offsets{{0, 11}});
  one.offset = QueueOffset{7};
  CHECK(offsets_in(reset(one)) == Offsets{{0, 7}});
  CHECK(known() == QueueOffset{7});
  one.offset = QueueOffset{12};
  const Command beyond = reset(one);
  CHECK(beyond.code == 1);
  CHECK(beyond.remark == "Target offset 12 not in consume queue range [0-10]");
  CHECK(known() == QueueOffset{7});
  node.reset();
  node = std::make_unique<Node>(test_config(directory.path()));
  CHECK(known() == QueueOffset{7});
}

TEST_CASE_FIXTURE(Reset, "reset: between two messages' times") {
  const auto& store = *node->broker.store;
  storage::ReadRequest last;
  last.topic = "T";
  last.from = QueueOffset{9};
  const auto read = *store.read(last);
  REQUIRE(read.records.size() == 1);
  const auto time = protocol::decode_record(read.records[0].bytes)->store_timestamp_ms;
  CHECK(offsets_in(reset(reset_request(time + 1)))[0] == 10);
  const std::int64_t at = offsets_in(reset(reset_request(time)))[0];
  CHECK(at <= 9);
}

TEST_CASE_FIXTURE(Reset, "reset: what is unknown") {
  InvokeBrokerToResetOffsetRequest request = reset_request(0);
  request.topic = "Nope";
  CHECK(reset(request).code == 17);
  CHECK(reset(request).remark == "Topic Nope does not exist");
  request = reset_request(0);
  request.group = "nobody";
  CHECK(reset(request).code == 26);
  CHECK(reset(request).remark == "Group nobody does not exist");
}

TEST_CASE_FIXTURE(Reset, "reset: the consumer is told by its next pull, once, and not overheard") {
  BrokerMember consumer{*node, "a"};
  consumer.join("g");
  REQUIRE(consumer.pull(8).code == 0);
  REQUIRE(consumer.commit(9).remark.empty());
  InvokeBrokerToResetOffsetRequest one = reset_request(0);
  one.queue_id = 0;
  one.offset = QueueOffset{3};
  REQUIRE(reset(one).code == 0);

  const Command swallowed = consumer.commit(10);
  CHECK(swallowed.code == 0);
  CHECK(swallowed.remark == "Offset has been previously reset");
  CHECK(known() == QueueOffset{3});
  protocol::QueryConsumerOffsetRequest query;
  query.consumer_group = "g";
  query.topic = "T";
  CHECK(field(consumer.call(RequestCode::QueryConsumerOffset, query), "offset") == "3");

  const std::int32_t with_commit = protocol::kPullSubscription | protocol::kPullCommitOffset;
  const Command told = consumer.pull(10, with_commit, 10);
  CHECK(told.code == 21);
  CHECK(told.remark == "OFFSET_RESET");
  CHECK(field(told, "nextBeginOffset") == "3");
  CHECK(field(told, "minOffset") == "0");
  CHECK(field(told, "maxOffset") == "10");
  CHECK(told.body.empty());
  CHECK(known() == QueueOffset{3});

  CHECK(records_of(consumer.pull(3)).size() == 7);
  CHECK(consumer.commit(4).remark.empty());
  CHECK(known() == QueueOffset{4});
}

TEST_CASE_FIXTURE(Reset, "reset: a pull that waits for messages is told at once") {
  BrokerMember consumer{*node, "a"};
  consumer.join("g");
  auto held = std::async(std::launch::async, [&] {
    return consumer.pull(10, protocol::kPullSubscription | protocol::kPullSuspend);
  });
  while (node->broker.long_polls.held() == 0) std::this_thread::yield();
  REQUIRE(reset(reset_request(0)).code == 0);
  const Command told = held.get();
  CHECK(told.remark == "OFFSET_RESET");
  CHECK(field(told, "nextBeginOffset") == "0");
}

TEST_CASE_FIXTURE(ResetByClients, "reset by clients: each is told in its own form") {
  CHECK(reset(reset_request(0)).code == 1);  // the group never committed
  for (QueueId queue = 0; queue < 4; ++queue)
    node->broker.offsets.commit("peer", "g", "T", queue, QueueOffset{queue == 0 ? 6 : 0});
  const Command offline = reset(reset_request(0));
  CHECK(offline.code == 206);
  CHECK(offline.remark ==
        "Consumer not online, so can not reset offset, Group: g Topic: T Timestamp: 0");
  InvokeBrokerToResetOffsetRequest unknown = reset_request(0);
  unknown.topic = "Nope";
  CHECK(reset(unknown).code == 17);

  BrokerMember java{*node, "java"};
  BrokerMember cpp{*node, "cpp", protocol::Language::Cpp};
  java.join("g");
  cpp.join("g");
  CHECK(offsets_in(reset(reset_request(-1)))[0] == 10);
  const Command to_java = java.wait_for(RequestCode::ResetConsumerClientOffset);
  CHECK((to_java.flag & 2) != 0);
  CHECK(field(to_java, "topic") == "T");
  CHECK(field(to_java, "group") == "g");
  CHECK(field(to_java, "timestamp") == "-1");
  CHECK(as_text(to_java.body)
            .starts_with(
                R"({"offsetTable":{{"brokerName":"test-broker","queueId":0,"topic":"T"}:10,)"));
  const Command to_cpp = cpp.wait_for(RequestCode::ResetConsumerClientOffset);
  CHECK(
      as_text(to_cpp.body)
          .starts_with(
              R"({"offsetTable":[{"brokerName":"test-broker","offset":10,"queueId":0,"topic":"T"},)"));
  CHECK(known() == QueueOffset{6});  // the consumers commit it themselves, later

  // Without force nobody goes forward.
  CHECK(offsets_in(reset(reset_request(-1, false)))[0] == 6);
  CHECK(offsets_in(reset(reset_request(0, false)))[0] == 0);
  CHECK(offsets_in(reset(reset_request(-2)))[0] == 0);  // a time before all messages
  // The reader's commit goes back, as it was asked to.
  REQUIRE(java.pull(0).code == 0);
  CHECK(java.commit(0).remark.empty());
  CHECK(known() == QueueOffset{0});
}

TEST_CASE_FIXTURE(Reset, "consumer status: every consumer that answers") {
  InvokeBrokerToGetConsumerStatusRequest request;
  request.topic = "T";
  request.group = "g";
  const auto ask = [&] {
    return node->call(
        protocol::make_request(RequestCode::InvokeBrokerToGetConsumerStatus, request));
  };
  CHECK(ask().code == 1);
  CHECK(ask().remark == "No Any Consumer online in the consumer group: [g]");

  BrokerMember first{*node, "first"};
  BrokerMember second{*node, "second"};
  const auto holds = [](std::int64_t offset) {
    return [offset](const protocol::CommandView& question) -> std::optional<net::Response> {
      if (question.code != static_cast<std::int32_t>(RequestCode::GetConsumerStatusFromClient))
        return std::nullopt;
      return respond_body(protocol::encode_client_status({{{"T", "b", 0}, QueueOffset{offset}}}));
    };
  };
  first.answer_with(holds(5));
  second.answer_with([](const protocol::CommandView&) {
    return std::optional(respond_body("{\"messageQueueTable\":"));
  });
  first.join("g");
  second.join("g");
  CHECK(as_text(ask().body) ==
        R"({"consumerTable":{"first":{{"brokerName":"b","queueId":0,"topic":"T"}:5}},)"
        R"("messageQueueTable":{}})");
  const Command question = first.wait_for(RequestCode::GetConsumerStatusFromClient);
  CHECK(field(question, "topic") == "T");
  CHECK(field(question, "group") == "g");
  request.client_addr = "second";
  CHECK(as_text(ask().body) == R"({"consumerTable":{},"messageQueueTable":{}})");
}

}  // namespace rmq::roles::broker
