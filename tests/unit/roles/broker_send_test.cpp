// Sending through a broker's port: what is stored and how it is answered, what is refused and then
// not stored.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "protocol/frame.h"
#include "protocol/message_batch.h"
#include "tests/support/broker_node.h"
#include "tests/support/raw_stream.h"

namespace rmq::roles::broker {
namespace {

// Sends `frames` in one piece on a connection of its own, and returns `count` answers: the code of
// each by its opaque.
std::map<std::int32_t, std::int32_t> answers_to(Node& node, Bytes frames, std::size_t count) {
  test::RawStream stream(node.address());
  stream.send(std::move(frames));
  std::map<std::int32_t, std::int32_t> codes;
  while (codes.size() < count) {
    Result<Bytes> answer = stream.receive_frame();
    protocol::CommandView view;
    if (!answer || !protocol::parse_frame(*answer, view)) break;
    codes[view.opaque] = view.code;
  }
  return codes;
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

TEST_CASE_FIXTURE(Fixture, "send: every kind of refusal, and nothing is stored") {
  node->call(send_request(send_header("T"), "first"));
  const std::int64_t before = node->log_end();
  struct Row {
    const char* what;
    SendMessageRequest header;
    std::string body;
    ResponseCode code;
  };
  const std::string no_number = property("DELAY", "soon");
  const std::string timed = property("TIMER_DELAY_SEC", "5");
  const std::string deliver_at = property("TIMER_DELIVER_MS", "1900000000000");
  const std::string half = property("TRAN_MSG", "true");
  const std::string long_name(128, 'x');
  const std::string huge(4 * 1024 * 1024 + 1, 'b');
  std::vector<Row> rows = {
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

TEST_CASE_FIXTURE(Fixture, "send: many at once, good and bad, small and large, each is answered") {
  node->call(send_request(send_header("T"), "makes the topic"));
  constexpr int kSends = 50;
  constexpr int kBadQueue = 99;
  const auto queue_of = [](int send) { return send % 7 == 3 ? kBadQueue : send % 2; };
  const auto body_of = [](int send) {
    const std::size_t large = 300'000;  // more than is read at once
    return std::string(send % 20 == 19 ? large : 10, static_cast<char>('A' + send));
  };
  Bytes frames;
  for (int i = 0; i < kSends; ++i) {
    SendMessageRequest header = send_header("T");
    header.queue_id = queue_of(i);
    Command request = send_request(header, body_of(i));
    request.opaque = i;
    protocol::encode_frame(request, frames);
  }
  const auto codes = answers_to(*node, std::move(frames), kSends);
  REQUIRE(codes.size() == kSends);
  node->settle();
  std::array<std::vector<std::string>, 2> sent{{{"makes the topic"}, {}}};
  for (int i = 0; i < kSends; ++i) {
    const bool bad = queue_of(i) == kBadQueue;
    CHECK(codes.at(i) == (bad ? static_cast<std::int32_t>(ResponseCode::InvalidParameter) : 0));
    if (!bad) sent[static_cast<std::size_t>(queue_of(i))].push_back(body_of(i));
  }
  for (QueueId queue = 0; queue < 2; ++queue) {
    const std::vector<std::string>& expected = sent[static_cast<std::size_t>(queue)];
    std::vector<std::string> stored;
    while (stored.size() < expected.size()) {
      PullMessageRequest request = pull_header("T", static_cast<std::int64_t>(stored.size()));
      request.queue_id = queue;
      const Command pulled = node->pull(request);
      REQUIRE(pulled.code == 0);
      for (const auto& record : records_of(pulled)) stored.emplace_back(as_text(record.body));
    }
    CHECK(stored == expected);
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

TEST_CASE_FIXTURE(Fixture, "send: a queue that its topic loses is refused from then on") {
  SendMessageRequest header = send_header("T");
  header.queue_id = 3;
  CHECK(node->call(send_request(header, "x")).code == 0);
  auto topic = node->broker.topics.find("T");
  REQUIRE(topic);
  topic->read_queue_nums = topic->write_queue_nums = 2;
  REQUIRE(node->broker.topics.update(*topic, ""));
  const Command refused = node->call(send_request(header, "x"));
  CHECK(refused.code == static_cast<std::int32_t>(ResponseCode::InvalidParameter));
  header.queue_id = 1;
  CHECK(node->call(send_request(header, "x")).code == 0);
}

TEST_CASE_FIXTURE(Fixture, "one-way: stored, and not answered") {
  Command request = send_request(send_header("T"), "quiet");
  std::function<net::Task<Result<>>()> start = [this, request] {
    return node->client->send_oneway(node->address(), request, 5s);
  };
  REQUIRE(node->call(send_request(send_header("T"), "makes the topic")).code == 0);
  REQUIRE(net::run_blocking<Result<>>(node->threads.control(), start));
  const auto records = records_of(pull_waiting(*node, "T", 1));
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "quiet");
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

}  // namespace rmq::roles::broker
