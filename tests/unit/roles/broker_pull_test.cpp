// Pulling through a broker's port, long polls, the VIP port, restarts.
#include <doctest/doctest.h>

#include <future>
#include <thread>

#include "tests/support/broker_node.h"

namespace rmq::roles::broker {

TEST_CASE_FIXTURE(
    Fixture, "send: a message without unique key gets one, a client cannot speak for the broker") {
  const std::string forged =
      property("CLUSTER", "other") + property("POP_CK", "x") + property("a", "b");
  const Command sent = node->call(send_request(send_header("T", forged), "x"));
  CHECK(field(sent, "transactionId").size() == 32);
  const auto records = records_of(pull_waiting(*node, "T", 0));
  REQUIRE(records.size() == 1);
  CHECK(protocol::find_property(records[0].properties, "UNIQ_KEY") == field(sent, "transactionId"));
  CHECK(protocol::find_property(records[0].properties, "CLUSTER") == "DefaultCluster");
  CHECK_FALSE(protocol::find_property(records[0].properties, "POP_CK"));
  CHECK(protocol::find_property(records[0].properties, "a") == "b");
}

TEST_CASE_FIXTURE(Fixture, "pull: every status of an offset") {
  for (int i = 0; i < 3; ++i) node->call(send_request(send_header("T"), "x"));
  REQUIRE(records_of(pull_waiting(*node, "T", 2)).size() == 1);
  struct Row {
    std::int64_t from;
    std::int32_t queue;
    std::int32_t code;
    const char* remark;
    const char* next;
  };
  const Row rows[] = {{0, 0, 0, "FOUND", "3"},
                      {3, 0, 19, "OFFSET_OVERFLOW_ONE", "3"},
                      {4, 0, 21, "OFFSET_OVERFLOW_BADLY", "3"},
                      {-1, 0, 21, "OFFSET_TOO_SMALL", "0"},
                      {0, 1, 19, "NO_MESSAGE_IN_QUEUE", "0"},
                      {5, 1, 21, "NO_MESSAGE_IN_QUEUE", "0"}};
  for (const Row& row : rows) {
    INFO(row.from, " in queue ", row.queue);
    PullMessageRequest header = pull_header("T", row.from);
    header.queue_id = row.queue;
    const Command answer = node->pull(header);
    CHECK(answer.code == row.code);
    CHECK(answer.remark == row.remark);
    CHECK(field(answer, "nextBeginOffset") == row.next);
    for (const char* key : {"suggestWhichBrokerId", "minOffset", "maxOffset"})
      CHECK(field(answer, key) != "(absent)");
  }
}

TEST_CASE_FIXTURE(Fixture, "pull: every refusal") {
  node->call(send_request(send_header("T"), "x"));
  PullMessageRequest unknown = pull_header("Nope", 0);
  CHECK(node->pull(unknown).code == 17);
  PullMessageRequest queue = pull_header("T", 0);
  queue.queue_id = 4;
  CHECK(node->pull(queue).code == 29);
  CHECK(node->pull(pull_header("T", 0, 0)).code == 24);  // no heartbeat yet
  PullMessageRequest sql = pull_header("T", 0);
  sql.expression_type = "SQL92";
  sql.subscription = "a > 1";
  CHECK(node->pull(sql).code == 1);
  PullMessageRequest expression = pull_header("T", 0);
  expression.subscription = "||";
  CHECK(node->pull(expression).code == 23);
}

TEST_CASE_FIXTURE(
    Fixture, "pull: tags are filtered by their hash, the offset moves past what does not match") {
  for (const char* tag : {"a", "b", "a"})
    node->call(send_request(send_header("T", property("TAGS", tag)), tag));
  REQUIRE(records_of(pull_waiting(*node, "T", 2)).size() == 1);
  PullMessageRequest header = pull_header("T", 0);
  header.subscription = "a";
  CHECK(records_of(node->pull(header)).size() == 2);
  header.subscription = "c";
  const Command none = node->pull(header);
  CHECK(none.code == 20);
  CHECK(none.remark == "NO_MATCHED_MESSAGE");
  CHECK(field(none, "nextBeginOffset") == "3");
}

TEST_CASE_FIXTURE(Fixture, "long poll: a matching message ends it, one of another tag does not") {
  node->call(send_request(send_header("T", property("TAGS", "a")), "first"));
  auto waiting = std::async(std::launch::async, [&] { return pull_waiting(*node, "T", 1, "b"); });
  while (node->broker.long_polls.held() == 0) std::this_thread::yield();
  node->call(send_request(send_header("T", property("TAGS", "a")), "not this"));
  node->call(send_request(send_header("T", property("TAGS", "b")), "this"));
  const Command answer = waiting.get();
  REQUIRE(answer.code == 0);
  const auto records = records_of(answer);
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "this");
  CHECK(field(answer, "nextBeginOffset") == "3");
  CHECK(node->broker.long_polls.held() == 0);
}

TEST_CASE_FIXTURE(Fixture, "pull: tags that match nothing move the consumer on") {
  node->call(send_request(send_header("T", property("TAGS", "a")), "one"));
  node->call(send_request(send_header("T"), "two"));
  node->settle();
  for (const std::string_view expression : {" ", "b", "A || b"}) {
    PullMessageRequest header = pull_header("T", 0);
    header.subscription = expression;
    const Command answer = node->pull(header);
    INFO(expression);
    CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::PullRetryImmediately));
    CHECK(field(answer, "nextBeginOffset") == "2");
  }
}

TEST_CASE_FIXTURE(Fixture, "long poll: its time ends it with PULL_NOT_FOUND") {
  node->call(send_request(send_header("T"), "x"));
  REQUIRE(records_of(pull_waiting(*node, "T", 0)).size() == 1);
  PullMessageRequest header =
      pull_header("T", 1, protocol::kPullSubscription | protocol::kPullSuspend);
  header.suspend_timeout_millis = 100;
  const Command answer = node->pull(header);
  CHECK(answer.code == 19);
  CHECK(answer.remark == "OFFSET_OVERFLOW_ONE");
}

TEST_CASE_FIXTURE(Fixture, "pull: commits the offset that it carries") {
  node->call(send_request(send_header("T"), "x"));
  PullMessageRequest header =
      pull_header("T", 0, protocol::kPullSubscription | protocol::kPullCommitOffset);
  header.commit_offset = QueueOffset{1};
  node->pull(header);
  CHECK(node->broker.offsets.find("g", "T", 0) == QueueOffset{1});
}

TEST_CASE_FIXTURE(Fixture,
                  "the VIP port serves everything but pulls; unknown codes get 3 on both") {
  CHECK(node->call(send_request(send_header("T"), "x"), 10s, -2).code == 0);
  CHECK(node->call(protocol::make_request(RequestCode::PullMessage, pull_header("T", 0)), 10s, -2)
            .code == 3);
  Command unknown;
  unknown.code = 4711;
  CHECK(node->call(unknown).code == 3);
  CHECK(node->call(unknown, 10s, -2).code == 3);
}

TEST_CASE_FIXTURE(Fixture, "restart: messages, offsets and topics are kept, offsets go on") {
  for (int i = 0; i < 5; ++i)
    REQUIRE(node->call(send_request(send_header("T"), std::to_string(i))).code == 0);
  protocol::UpdateConsumerOffsetRequest commit;
  commit.consumer_group = "g";
  commit.topic = "T";
  commit.commit_offset = QueueOffset{3};
  node->pull(pull_header("T", 0));  // makes the group
  REQUIRE(node->call(protocol::make_request(RequestCode::UpdateConsumerOffset, commit)).code == 0);
  restart();
  const auto records = records_of(node->pull(pull_header("T", 0)));
  REQUIRE(records.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(as_text(records[i].body) == std::to_string(i));
  CHECK(node->broker.offsets.find("g", "T", 0) == QueueOffset{3});
  CHECK(field(node->call(send_request(send_header("T"), "next")), "queueOffset") == "5");
}

TEST_CASE_FIXTURE(Fixture,
                  "what a slave gives back goes forward only, and to the end of the queue") {
  for (int i = 0; i < 5; ++i) REQUIRE(node->call(send_request(send_header("T"), "x")).code == 0);
  pull_waiting(*node, "T", 4);  // makes the group, and the last message can be seen
  const auto give_back = [this](std::int64_t offset) {
    protocol::UpdateConsumerOffsetRequest commit;
    commit.consumer_group = "g";
    commit.topic = "T";
    commit.commit_offset = QueueOffset{offset};
    commit.forward_only = true;
    CHECK(node->call(protocol::make_request(RequestCode::UpdateConsumerOffset, commit)).code == 0);
    return node->broker.offsets.find("g", "T", 0);
  };
  CHECK(give_back(3) == QueueOffset{3});
  CHECK(give_back(2) == QueueOffset{3});
  CHECK(give_back(9) == QueueOffset{5});
}

TEST_CASE("a second broker on one store directory is refused") {
  test::TempDirectory directory;
  Node node(test_config(directory.path()));
  net::IoThreads threads(1);
  threads.start();
  Broker second(threads, test_config(directory.path()), FileSystem::posix(), Clock::system());
  const Result<> started = second.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == storage::StoreErrc::InUse);
  second.stop();
  threads.stop();
}

}  // namespace rmq::roles::broker
