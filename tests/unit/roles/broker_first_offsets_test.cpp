// Where a new group begins: it skips nothing that is sent after it registered.
#include "roles/broker/offsets/first_offsets.h"

#include <doctest/doctest.h>

#include "protocol/client_body.h"
#include "protocol/offset.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

using protocol::ConsumeFromWhere;
using protocol::ConsumerData;

Command heartbeat(std::string_view topic, ConsumeFromWhere from,
                  protocol::MessageModel model = protocol::MessageModel::Clustering) {
  protocol::SubscriptionData subscription;
  subscription.topic = topic;
  subscription.sub_string = "*";
  ConsumerData consumer;
  consumer.group = "g";
  consumer.consume_type = protocol::ConsumeType::Passively;
  consumer.message_model = model;
  consumer.consume_from_where = from;
  consumer.subscriptions = {subscription};
  protocol::HeartbeatData data;
  data.client_id = "c";
  data.consumers = {consumer};
  const std::string body = protocol::encode_heartbeat(data);
  Command request;
  request.code = static_cast<std::int32_t>(RequestCode::HeartBeat);
  request.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  return request;
}

// Nothing is in memory here, so that Java has no offset for a group without commits.
struct ColdFixture {
  ColdFixture() { start(); }
  void start() {
    node.reset();
    BrokerConfig config = test_config(directory.path());
    config.store.access_message_in_memory_max_ratio = 0;
    node = std::make_unique<Node>(config);
  }
  void send(std::string_view topic, int count) {
    for (int i = 0; i < count; ++i) node->call(send_request(send_header(topic), "x"));
    node->settle();
  }
  // The offset, or the code of a refusal below zero.
  std::string query(std::string_view topic, std::optional<bool> zero = {}) {
    protocol::QueryConsumerOffsetRequest request;
    request.consumer_group = "g";
    request.topic = topic;
    request.queue_id = 0;
    request.set_zero_if_not_found = zero;
    const Command answer =
        node->call(protocol::make_request(RequestCode::QueryConsumerOffset, request));
    return answer.code == 0 ? field(answer, "offset") : "code " + std::to_string(answer.code);
  }

  test::TempDirectory directory;
  std::unique_ptr<Node> node;
};

}  // namespace

TEST_CASE("first offsets: the first ends stay, over a restart too") {
  test::TempDirectory directory;
  ManualClock clock;
  int changes = 0;
  {
    FirstOffsets first(clock, FileSystem::posix(), directory.path());
    REQUIRE(first.load());
    first.on_change([&] { ++changes; });
    CHECK_FALSE(first.find("g", "T", 0));
    first.remember("g", "T", 2, [](QueueId id) { return QueueOffset{5 + id}; });
    first.remember("g", "T", 2, [](QueueId) { return QueueOffset{9}; });
    first.remember("g", "unborn", 0, [](QueueId) { return QueueOffset{0}; });
    CHECK(changes == 2);
    REQUIRE(first.save_if_changed());
  }
  FirstOffsets first(clock, FileSystem::posix(), directory.path());
  REQUIRE(first.load());
  CHECK(first.find("g", "T", 0) == QueueOffset{5});
  CHECK(first.find("g", "T", 1) == QueueOffset{6});
  CHECK(first.find("g", "T", 2) == QueueOffset{0});  // a queue that was added later
  CHECK(first.find("g", "unborn", 3) == QueueOffset{0});
  CHECK_FALSE(first.find("h", "T", 0));
}

TEST_CASE_FIXTURE(ColdFixture, "new group: it begins where the queue ended when it came") {
  send("T", 3);
  CHECK(query("T") == "code 22");
  node->call(heartbeat("T", ConsumeFromWhere::LastOffset));
  send("T", 2);
  node->call(heartbeat("T", ConsumeFromWhere::LastOffset));
  CHECK(query("T") == "3");
  CHECK(query("T", false) == "code 22");
  CHECK(query("%RETRY%g") == "0");
  SUBCASE("over a restart") {
    start();
    node->call(heartbeat("T", ConsumeFromWhere::LastOffset));
    CHECK(query("T") == "3");
  }
  SUBCASE("until it commits") {
    protocol::UpdateConsumerOffsetRequest commit;
    commit.consumer_group = "g";
    commit.topic = "T";
    commit.commit_offset = QueueOffset{4};
    node->call(protocol::make_request(RequestCode::UpdateConsumerOffset, commit));
    CHECK(query("T") == "4");
  }
  SUBCASE("and no longer, once it wants to begin elsewhere") {
    node->call(heartbeat("T", ConsumeFromWhere::FirstOffset));
    CHECK(query("T") == "code 22");
  }
}

TEST_CASE_FIXTURE(ColdFixture, "new group: one that begins elsewhere has no offset, as in Java") {
  send("T", 3);
  SUBCASE("first") { node->call(heartbeat("T", ConsumeFromWhere::FirstOffset)); }
  SUBCASE("timestamp") { node->call(heartbeat("T", ConsumeFromWhere::Timestamp)); }
  SUBCASE("broadcasting") {
    node->call(heartbeat("T", ConsumeFromWhere::LastOffset, protocol::MessageModel::Broadcasting));
  }
  CHECK(query("T") == "code 22");
}

TEST_CASE_FIXTURE(ColdFixture, "new group: a topic that comes later is read from its beginning") {
  node->call(heartbeat("Later", ConsumeFromWhere::LastOffset));
  send("Later", 2);
  CHECK(query("Later") == "0");
}

TEST_CASE_FIXTURE(Fixture, "new group: where everything is still there it begins with the first") {
  node->call(send_request(send_header("T"), "x"));
  node->settle();
  node->call(heartbeat("T", ConsumeFromWhere::LastOffset));
  protocol::QueryConsumerOffsetRequest request;
  request.consumer_group = "g";
  request.topic = "T";
  const Command answer =
      node->call(protocol::make_request(RequestCode::QueryConsumerOffset, request));
  CHECK(field(answer, "offset") == "0");
}

}  // namespace rmq::roles::broker
