// The data path of a broker through its port: what is sent can be pulled, what is refused is not
// stored.
#include <doctest/doctest.h>

#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "net/await.h"
#include "net/rpc_client.h"
#include "protocol/header_fields.h"
#include "protocol/message_batch.h"
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/offset.h"
#include "protocol/properties.h"
#include "protocol/pull.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"
#include "roles/broker/broker.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::PullMessageRequest;
using protocol::RequestCode;
using protocol::ResponseCode;
using protocol::SendMessageRequest;

BrokerConfig test_config(const std::string& directory) {
  BrokerConfig config;
  config.broker_name = "test-broker";
  config.listen_address = "127.0.0.1";
  config.broker_ip1 = "127.0.0.1";
  config.listen_port = 0;
  config.namesrv_addr = "";
  config.store.root_directory = directory;
  config.store.commit_log_segment_bytes = 1024 * 1024;
  return config;
}

// A broker on a free port, and a client of it.
struct Node {
  explicit Node(BrokerConfig config)
      : broker(threads, std::move(config), FileSystem::posix(), Clock::system()) {
    threads.start();
    const Result<> started = broker.start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
  }
  ~Node() {
    client.reset();
    broker.stop();
    threads.stop();
  }
  Command call(const Command& request, std::chrono::milliseconds timeout = 10s,
               int port_shift = 0) {
    const std::string address = "127.0.0.1:" + std::to_string(broker.port() + port_shift);
    std::function<net::Task<Result<Command>>()> start = [this, address, request, timeout] {
      return client->call(address, request, timeout);
    };
    Result<Command> answer = net::run_blocking<Result<Command>>(threads.control(), start);
    REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message()));
    return *answer;
  }
  Command pull(const PullMessageRequest& request, std::chrono::milliseconds timeout = 10s) {
    return call(protocol::make_request(RequestCode::PullMessage, request), timeout);
  }
  // The log's end: unchanged when nothing was stored.
  std::int64_t log_end() { return broker.store->appended().value().value; }

  net::IoThreads threads{2};
  Broker broker;
  std::unique_ptr<net::RpcClient> client = std::make_unique<net::RpcClient>(threads);
};

struct Fixture {
  test::TempDirectory directory;
  std::unique_ptr<Node> node = std::make_unique<Node>(test_config(directory.path()));

  void restart() {
    BrokerConfig config = test_config(directory.path());
    node.reset();
    node = std::make_unique<Node>(config);
  }
};

SendMessageRequest send_header(std::string_view topic, std::string_view properties = {}) {
  SendMessageRequest header;
  header.producer_group = "p";
  header.topic = topic;
  header.default_topic = "TBW102";
  header.default_topic_queue_nums = 4;
  header.queue_id = 0;
  header.born_timestamp = 1'700'000'000'000;
  header.properties = properties;
  return header;
}

Command send_request(const SendMessageRequest& header, std::string_view body) {
  return protocol::make_request(RequestCode::SendMessageV2, header,
                                Bytes(as_bytes(body).begin(), as_bytes(body).end()));
}

PullMessageRequest pull_header(std::string_view topic, std::int64_t from,
                               std::int32_t sys_flag = protocol::kPullSubscription) {
  PullMessageRequest header;
  header.consumer_group = "g";
  header.topic = topic;
  header.queue_offset = QueueOffset{from};
  header.max_msg_nums = 32;
  header.sys_flag = sys_flag;
  header.subscription = "*";
  return header;
}

std::string field(const Command& answer, std::string_view key) {
  return std::string(answer.view().find(key).value_or("(absent)"));
}

std::vector<protocol::MessageRecord> records_of(const Command& answer) {
  std::vector<protocol::MessageRecord> records;
  ByteView rest(answer.body);
  while (!rest.empty()) {
    const auto record = protocol::decode_record(rest, protocol::CheckBody::Yes);
    REQUIRE(record);
    records.push_back(*record);
    rest = rest.subspan(record->total_bytes);
  }
  return records;
}

std::string property(std::string_view name, std::string_view value) {
  std::string text;
  protocol::append_property(text, name, value);
  return text;
}

// Dispatch runs beside the answer: a pull that waits sees the message for sure.
Command pull_waiting(Node& node, std::string_view topic, std::int64_t from,
                     std::string_view expression = "*") {
  PullMessageRequest header =
      pull_header(topic, from, protocol::kPullSubscription | protocol::kPullSuspend);
  header.subscription = expression;
  header.suspend_timeout_millis = 10'000;
  return node.pull(header, 20s);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "send and pull: the record comes back as it was sent") {
  const std::string properties =
      property("TAGS", "TagA") + property("UNIQ_KEY", "KEY1") + property("city", "Zürich");
  const Command sent = node->call(send_request(send_header("T", properties), "hello"));
  CHECK(sent.code == 0);
  CHECK(field(sent, "queueId") == "0");
  CHECK(field(sent, "queueOffset") == "0");
  CHECK(field(sent, "transactionId") == "KEY1");
  CHECK(field(sent, "MSG_REGION") == "DefaultRegion");
  CHECK(field(sent, "TRACE_ON") == "true");

  const Command pulled = pull_waiting(*node, "T", 0);
  REQUIRE(pulled.code == 0);
  CHECK(pulled.remark == "FOUND");
  CHECK(field(pulled, "nextBeginOffset") == "1");
  CHECK(field(pulled, "minOffset") == "0");
  CHECK(field(pulled, "maxOffset") == "1");
  CHECK(field(pulled, "suggestWhichBrokerId") == "0");
  const auto records = records_of(pulled);
  REQUIRE(records.size() == 1);
  CHECK(records[0].topic == "T");
  CHECK(as_text(records[0].body) == "hello");
  CHECK(records[0].born_timestamp_ms == 1'700'000'000'000);
  CHECK(records[0].store_host.port() == node->broker.port());
  CHECK(protocol::find_property(records[0].properties, "city") == "Zürich");
  CHECK(protocol::find_property(records[0].properties, "CLUSTER") == "DefaultCluster");
  const auto id = protocol::decode_message_id(field(sent, "msgId"));
  REQUIRE(id);
  CHECK(id->physical_offset == records[0].physical_offset);
  CHECK(id->store_host == records[0].store_host);
}

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

TEST_CASE_FIXTURE(Fixture, "send: every kind of refusal, and nothing is stored") {
  node->call(send_request(send_header("T"), "first"));
  const std::int64_t before = node->log_end();
  struct Row {
    const char* what;
    SendMessageRequest header;
    std::string body;
    ResponseCode code;
  };
  const std::string delayed = property("DELAY", "3");
  const std::string no_number = property("DELAY", "soon");
  const std::string timed = property("TIMER_DELAY_SEC", "5");
  const std::string deliver_at = property("TIMER_DELIVER_MS", "1900000000000");
  const std::string half = property("TRAN_MSG", "true");
  const std::string long_name(128, 'x');
  const std::string huge(4 * 1024 * 1024 + 1, 'b');
  std::vector<Row> rows = {
      {"delay level", send_header("T", delayed), "x", ResponseCode::MessageIllegal},
      {"delay level that is no number", send_header("T", no_number), "x",
       ResponseCode::MessageIllegal},
      {"timer", send_header("T", timed), "x", ResponseCode::MessageIllegal},
      {"timer at", send_header("T", deliver_at), "x", ResponseCode::MessageIllegal},
      {"half message", send_header("T", half), "x", ResponseCode::NoPermission},
      {"system topic", send_header("SCHEDULE_TOPIC_XXXX"), "x", ResponseCode::NoPermission},
      {"bad name", send_header("bad name"), "x", ResponseCode::InvalidParameter},
      {"empty name", send_header(""), "x", ResponseCode::InvalidParameter},
      {"long name", send_header(long_name), "x", ResponseCode::InvalidParameter},
      {"too large", send_header("T"), huge, ResponseCode::MessageIllegal},
      {"empty body", send_header("T"), "", ResponseCode::MessageIllegal},
  };
  Row wrong_queue{"queue id", send_header("T"), "x", ResponseCode::InvalidParameter};
  wrong_queue.header.queue_id = 4;
  rows.push_back(wrong_queue);
  Row no_model{"unknown topic without model", send_header("New"), "x", ResponseCode::TopicNotExist};
  no_model.header.default_topic = "NotThere";
  rows.push_back(no_model);
  Row prepared{"prepared by sysFlag", send_header("T"), "x", ResponseCode::NoPermission};
  prepared.header.sys_flag = protocol::kSysFlagTransactionPrepared;
  rows.push_back(prepared);
  for (const Row& row : rows) {
    INFO(row.what);
    const Command answer = node->call(send_request(row.header, row.body));
    CHECK(answer.code == static_cast<std::int32_t>(row.code));
    CHECK_FALSE(answer.remark.empty());
    CHECK(field(answer, "MSG_REGION") == "DefaultRegion");
    CHECK(node->log_end() == before);
  }
}

TEST_CASE_FIXTURE(Fixture, "send: a topic made by a send is on disk before the answer") {
  SendMessageRequest header = send_header("Fresh");
  header.default_topic_queue_nums = 3;
  REQUIRE(node->call(send_request(header, "x")).code == 0);
  const auto text = read_text_file(FileSystem::posix(), directory.path() + "/config/topics.json");
  REQUIRE(text);
  CHECK(text->find("\"Fresh\"") != std::string::npos);
  const auto topic = node->broker.topics.find("Fresh");
  REQUIRE(topic);
  CHECK(topic->write_queue_nums == 3);
}

TEST_CASE_FIXTURE(Fixture, "send: a negative queue id is the broker's choice") {
  SendMessageRequest header = send_header("T");
  header.queue_id = -1;
  const Command sent = node->call(send_request(header, "x"));
  CHECK(sent.code == 0);
  const int queue = std::stoi(field(sent, "queueId"));
  CHECK(queue >= 0);
  CHECK(queue < 4);
}

TEST_CASE_FIXTURE(Fixture,
                  "batch: consecutive offsets, one id per message; one bad entry refuses all") {
  Bytes body;
  for (const char* text : {"one", "two", "three"}) {
    REQUIRE(protocol::append_batch_entry(
        {.flag = 7, .body = as_bytes(text), .properties = "TAGS\x01t\x02"}, body));
  }
  SendMessageRequest header = send_header("T");
  header.batch = true;
  const Command sent =
      node->call(protocol::make_request(RequestCode::SendBatchMessage, header, body));
  REQUIRE(sent.code == 0);
  const std::string ids = field(sent, "msgId");
  CHECK(std::count(ids.begin(), ids.end(), ',') == 2);
  std::size_t got = 0;
  while (got < 3) {
    for (const auto& record :
         records_of(pull_waiting(*node, "T", static_cast<std::int64_t>(got)))) {
      CHECK(record.queue_offset.value == static_cast<std::int64_t>(got++));
      CHECK(record.flag == 7);
    }
  }
  const std::int64_t before = node->log_end();
  const std::string delayed = property("DELAY", "1");
  REQUIRE(protocol::append_batch_entry({.body = as_bytes("late"), .properties = delayed}, body));
  CHECK(node->call(protocol::make_request(RequestCode::SendBatchMessage, header, body)).code == 13);
  body.resize(body.size() - 1);
  CHECK(node->call(protocol::make_request(RequestCode::SendBatchMessage, header, body)).code == 13);
  CHECK(node->log_end() == before);
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

TEST_CASE_FIXTURE(Fixture, "one-way: stored, and not answered") {
  Command request = send_request(send_header("T"), "quiet");
  std::function<net::Task<Result<>>()> start = [this, request] {
    return node->client->send_oneway("127.0.0.1:" + std::to_string(node->broker.port()), request,
                                     5s);
  };
  REQUIRE(node->call(send_request(send_header("T"), "makes the topic")).code == 0);
  REQUIRE(net::run_blocking<Result<>>(node->threads.control(), start));
  const auto records = records_of(pull_waiting(*node, "T", 1));
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "quiet");
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

TEST_CASE("sync flush: an answer means flushed") {
  test::TempDirectory directory;
  BrokerConfig config = test_config(directory.path());
  config.store.flush_disk_type = storage::FlushDiskType::Sync;
  config.store.flush_interval = 1h;
  Node node(config);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(node.call(send_request(send_header("T"), "x")).code == 0);
    CHECK(node.broker.store->flushed().value().value == node.log_end());
  }
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
