// Delayed messages, retries and dead letters through a broker's port. Levels of no delay at all
// keep the tests from waiting.
#include "protocol/topic.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

struct DelayedNode : Fixture {
  DelayedNode() {
    node.reset();
    start("0s 1h 0s 0s");
  }
  void start(const std::string& levels) {
    BrokerConfig config = test_config(directory.path());
    config.store.message_delay_level = levels;
    node.reset();
    node = std::make_unique<Node>(config);
  }
  std::string next_offset(std::string_view topic) {
    node->settle();
    return std::to_string(node->broker.store->visible_end(topic, 0).value);
  }
  // Sends a message and returns its physical offset.
  PhysicalOffset send(std::string_view topic, std::string_view body) {
    const Command sent = node->call(send_request(send_header(topic, property("TAGS", "a")), body));
    REQUIRE(sent.code == 0);
    const auto id = protocol::decode_message_id(field(sent, "msgId"));
    REQUIRE(id);
    return id->physical_offset;
  }
  Command send_back(const protocol::ConsumerSendMsgBackRequest& request) {
    return node->call(protocol::make_request(RequestCode::ConsumerSendMsgBack, request));
  }
  void update_group(const std::string& name, std::int32_t retry_queues, std::int32_t times_max) {
    protocol::SubscriptionGroupConfig group;
    group.group = name;
    group.retry_queue_nums = retry_queues;
    group.retry_max_times = times_max;
    REQUIRE(node->broker.groups.update(group));
  }
};

constexpr std::string_view kRetry = "%RETRY%g";
constexpr std::string_view kDead = "%DLQ%g";

std::string property_of(const protocol::MessageRecord& record, std::string_view name) {
  return std::string(protocol::find_property(record.properties, name).value_or("(absent)"));
}

protocol::ConsumerSendMsgBackRequest back(PhysicalOffset offset, std::int32_t level = 0) {
  protocol::ConsumerSendMsgBackRequest request;
  request.offset = offset;
  request.group = "g";
  request.delay_level = level;
  return request;
}

}  // namespace

TEST_CASE_FIXTURE(DelayedNode,
                  "delayed send: answered as a send to its topic, delivered when due") {
  const std::string properties = property("DELAY", "1") + property("TAGS", "t") +
                                 property("TIMER_DELAY_SEC", "9") +
                                 property("RMQ_DELAY_MARK", "2:77");
  SendMessageRequest header = send_header("T", properties);
  header.queue_id = 0;
  const Command sent = node->call(send_request(header, "later"));
  CHECK(sent.code == 0);
  CHECK(field(sent, "queueId") == "0");
  const auto records = records_of(pull_waiting(*node, "T", 0, "t"));
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "later");
  CHECK(property_of(records[0], "DELAY") == "1");
  CHECK(property_of(records[0], "REAL_TOPIC") == "T");
  CHECK(property_of(records[0], "RMQ_DELAY_MARK") == "1:0");  // not the client's
  CHECK(property_of(records[0], "TIMER_DELAY_SEC") == "(absent)");
  CHECK(property_of(records[0], "CLUSTER") == "DefaultCluster");
}

TEST_CASE_FIXTURE(DelayedNode, "delayed send: waits in its level's queue over a restart") {
  REQUIRE(node->call(send_request(send_header("T", property("DELAY", "2")), "1")).code == 0);
  CHECK(next_offset("T") == "0");
  node->settle();
  CHECK(node->broker.store->visible_end("SCHEDULE_TOPIC_XXXX", 1).value == 1);
  // Due an hour later, also for the next process; a day's clock error would deliver it.
  start("0s 1h 0s 0s");
  CHECK(node->broker.delay_progress.next(2).value == 0);
  REQUIRE(node->call(send_request(send_header("T", property("DELAY", "1")), "2")).code == 0);
  const auto records = records_of(pull_waiting(*node, "T", 0));
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "2");
}

TEST_CASE_FIXTURE(DelayedNode, "runtime info: how far each level has come") {
  REQUIRE(node->call(send_request(send_header("T", property("DELAY", "1")), "x")).code == 0);
  REQUIRE(records_of(pull_waiting(*node, "T", 0)).size() == 1);
  // Counted when the append is done, which a consumer may be ahead of.
  const auto request = protocol::make_request(RequestCode::GetBrokerRuntimeInfo,
                                              protocol::GetBrokerRuntimeInfoRequest{});
  bool found = false;
  for (int i = 0; i < 10'000 && !found; ++i) {
    const Command info = node->call(request);
    found =
        as_text(info.body).find("\"scheduleMessageOffset_1\":\"1,1\"") != std::string_view::npos;
  }
  CHECK(found);
}

TEST_CASE_FIXTURE(DelayedNode, "a client cannot set a delay mark, in a batch neither") {
  const std::string mark = property("RMQ_DELAY_MARK", "2:77");
  REQUIRE(node->call(send_request(send_header("T", mark), "single")).code == 0);
  SendMessageRequest header = send_header("T");
  header.batch = true;
  Bytes body;
  BigEndianWriter writer(body);
  writer.write(static_cast<std::int32_t>(4 * 5 + 1 + 2 + mark.size()));
  for (int i = 0; i < 3; ++i) writer.write<std::int32_t>(0);
  writer.write<std::int32_t>(1);
  writer.write_bytes(as_bytes("b"));
  writer.write(static_cast<std::int16_t>(mark.size()));
  writer.write_bytes(as_bytes(mark));
  const Command sent =
      node->call(protocol::make_request(RequestCode::SendBatchMessage, header, body));
  REQUIRE_MESSAGE(sent.code == 0, sent.remark);
  const auto first = records_of(pull_waiting(*node, "T", 0));
  const auto second = records_of(pull_waiting(*node, "T", 1));
  CHECK(property_of(first[0], "RMQ_DELAY_MARK") == "(absent)");
  CHECK(property_of(second[0], "RMQ_DELAY_MARK") == "(absent)");
}

TEST_CASE_FIXTURE(DelayedNode, "send back: comes again on the retry topic, with its history") {
  const PhysicalOffset offset = send("T", "try");
  REQUIRE(send_back(back(offset)).code == 0);
  const auto first = records_of(pull_waiting(*node, kRetry, 0));
  REQUIRE(first.size() == 1);
  CHECK(as_text(first[0].body) == "try");
  CHECK(first[0].reconsume_times == 1);
  CHECK(property_of(first[0], "RETRY_TOPIC") == "T");
  CHECK(property_of(first[0], "DELAY") == "3");
  CHECK(property_of(first[0], "WAIT") == "false");
  CHECK(property_of(first[0], "TAGS") == "a");
  const std::string origin =
      std::string(protocol::encode_message_id({node->broker.store_host, offset}).view());
  CHECK(property_of(first[0], "ORIGIN_MESSAGE_ID") == origin);

  // The second failure: the first topic and id stay.
  REQUIRE(send_back(back(first[0].physical_offset)).code == 0);
  const auto second = records_of(pull_waiting(*node, kRetry, 1));
  CHECK(second[0].reconsume_times == 2);
  CHECK(property_of(second[0], "DELAY") == "4");
  CHECK(property_of(second[0], "RETRY_TOPIC") == "T");
  CHECK(property_of(second[0], "ORIGIN_MESSAGE_ID") == origin);
}

TEST_CASE_FIXTURE(DelayedNode, "send back: a level that the consumer names") {
  const PhysicalOffset offset = send("T", "try");
  REQUIRE(send_back(back(offset, 1)).code == 0);
  CHECK(property_of(records_of(pull_waiting(*node, kRetry, 0))[0], "DELAY") == "1");
  REQUIRE(send_back(back(offset, 99)).code == 0);
  CHECK(property_of(records_of(pull_waiting(*node, kRetry, 1))[0], "DELAY") == "4");
}

TEST_CASE_FIXTURE(DelayedNode, "send back: dead letters") {
  const PhysicalOffset offset = send("T", "hopeless");
  protocol::ConsumerSendMsgBackRequest request = back(offset);
  SUBCASE("the consumer gave up") { request.delay_level = -1; }
  SUBCASE("the consumer's limit") { request.max_reconsume_times = 0; }
  SUBCASE("the group's limit") { update_group("g", 1, 0); }
  REQUIRE(send_back(request).code == 0);
  const auto dead = records_of(pull_waiting(*node, kDead, 0));
  REQUIRE(dead.size() == 1);
  CHECK(as_text(dead[0].body) == "hopeless");
  CHECK(dead[0].reconsume_times == 1);
  CHECK(property_of(dead[0], "DELAY") == "0");
  CHECK(property_of(dead[0], "RETRY_TOPIC") == "T");
  CHECK(node->broker.topics.find(kDead)->write_queue_nums == 1);
}

TEST_CASE_FIXTURE(DelayedNode, "send back: an old client's limit is not heard") {
  const PhysicalOffset offset = send("T", "try");
  protocol::ConsumerSendMsgBackRequest request = back(offset);
  request.max_reconsume_times = 0;
  Command command = protocol::make_request(RequestCode::ConsumerSendMsgBack, request);
  command.version = 120;
  REQUIRE(node->call(command).code == 0);
  CHECK(records_of(pull_waiting(*node, kRetry, 0)).size() == 1);
}

TEST_CASE_FIXTURE(DelayedNode, "send back: refusals store nothing") {
  const PhysicalOffset offset = send("T", "x");
  update_group("g", 1, 16);
  update_group("none", 0, 16);
  const std::int64_t before = node->log_end();
  Command answer = send_back(back(offset + 1));
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  CHECK(answer.remark == "look message by offset failed, " + std::to_string(offset.value + 1));
  answer = send_back(back(PhysicalOffset{1LL << 50}));
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  protocol::ConsumerSendMsgBackRequest request = back(offset);
  request.group = "bad name";
  answer = send_back(request);
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SubscriptionGroupNotExist));
  request.group = "none";
  CHECK(send_back(request).code == 0);
  protocol::TopicConfig closed;
  closed.topic = kRetry;
  closed.perm = protocol::kPermRead;
  REQUIRE(node->broker.topics.update(closed, ""));
  answer = send_back(back(offset));
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::NoPermission));
  CHECK(answer.remark == "the topic[%RETRY%g] sending message is forbidden");
  CHECK(node->log_end() == before);
}

TEST_CASE_FIXTURE(DelayedNode, "send to a retry topic: comes again, or goes to the dead letters") {
  update_group("g", 1, 3);
  const std::string delayed = property("DELAY", "1");
  SendMessageRequest header = send_header(kRetry, delayed);
  header.reconsume_times = 3;
  REQUIRE(node->call(send_request(header, "again")).code == 0);
  const auto again = records_of(pull_waiting(*node, kRetry, 0));
  REQUIRE(again.size() == 1);
  CHECK(again[0].reconsume_times == 3);
  header.reconsume_times = 4;
  REQUIRE(node->call(send_request(header, "dead")).code == 0);
  header.max_reconsume_times = 4;
  REQUIRE(node->call(send_request(header, "once more")).code == 0);
  CHECK(as_text(records_of(pull_waiting(*node, kRetry, 1))[0].body) == "once more");
  const auto dead = records_of(pull_waiting(*node, kDead, 0));
  REQUIRE(dead.size() == 1);
  CHECK(as_text(dead[0].body) == "dead");
  CHECK(dead[0].reconsume_times == 4);
  CHECK(property_of(dead[0], "DELAY") == "-1");
}

TEST_CASE_FIXTURE(DelayedNode,
                  "send to a retry topic: a group that consumes in order wants no retry") {
  update_group("g", 1, 16);
  node->broker.locks.lock("g", "client", {{.topic = "T", .broker_name = "b", .queue_id = 0}});
  REQUIRE(node->call(send_request(send_header(kRetry, property("DELAY", "1")), "x")).code == 0);
  CHECK(records_of(pull_waiting(*node, kDead, 0)).size() == 1);
  SendMessageRequest unknown = send_header("%RETRY%");
  const Command answer = node->call(send_request(unknown, "x"));
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SubscriptionGroupNotExist));
}

TEST_CASE("send back under sync flush: an answer means flushed") {
  test::TempDirectory directory;
  BrokerConfig config = test_config(directory.path());
  config.store.flush_disk_type = storage::FlushDiskType::Sync;
  config.store.flush_interval = 1h;
  Node node(config);
  const Command sent = node.call(send_request(send_header("T"), "x"));
  const auto id = protocol::decode_message_id(field(sent, "msgId"));
  REQUIRE(id);
  REQUIRE(
      node.call(protocol::make_request(RequestCode::ConsumerSendMsgBack, back(id->physical_offset)))
          .code == 0);
  CHECK(node.broker.store->flushed().value().value == node.log_end());
}

TEST_CASE_FIXTURE(DelayedNode,
                  "delay progress: says how far the log has no deliveries, without any") {
  const std::string path = directory / "rmq/delay-progress.json";
  REQUIRE(node->broker.delay_progress.save_if_changed());
  const auto before = read_text_file(FileSystem::posix(), path);
  const auto fill_to = [this](std::int64_t end) {
    const std::string body(100'000, 'x');
    while (node->log_end() < end) {
      REQUIRE(node->call(send_request(send_header("T"), body)).code == 0);
    }
  };
  fill_to(12'000'000);
  REQUIRE(node->broker.delay_progress.save_if_changed());
  CHECK(*read_text_file(FileSystem::posix(), path) == *before);  // little is no reason to write
  fill_to(18'000'000);
  REQUIRE(node->broker.delay_progress.save_if_changed());
  const std::string after = *read_text_file(FileSystem::posix(), path);
  CHECK(after.find("\"position\":" + std::to_string(node->log_end())) != std::string::npos);
}

}  // namespace rmq::roles::broker
