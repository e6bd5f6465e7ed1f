// Messages by key, by offset message id and by time, through a broker's port.
#include <limits>

#include "protocol/message_batch.h"
#include "protocol/view.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

using protocol::QueryMessageRequest;
using protocol::SearchOffsetByTimestampRequest;
using protocol::ViewMessageByIdRequest;

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

std::string keys(std::string_view unique, std::string_view others) {
  return property("UNIQ_KEY", unique) + property("KEYS", others);
}

struct QueryNode : Fixture {
  Command send(std::string_view properties, std::string_view body, std::string_view topic = "T") {
    Command answer = node->call(send_request(send_header(topic, properties), body));
    REQUIRE(answer.code == 0);
    return answer;
  }
  void settle() {
    std::promise<void> done;
    node->broker.store->indexed().when_at_least(IndexedOffset{node->log_end()},
                                                [&done](Result<>) { done.set_value(); });
    done.get_future().wait();
  }
  Command query(std::string_view key, std::int32_t max = 32, bool unique = false,
                std::int64_t begin = 0, std::int64_t end = kForever) {
    settle();
    QueryMessageRequest request;
    request.topic = "T";
    request.key = key;
    request.max_num = max;
    request.begin_timestamp = begin;
    request.end_timestamp = end;
    request.unique_key = unique;
    return node->call(protocol::make_request(RequestCode::QueryMessage, request));
  }
  std::int64_t search(std::int64_t timestamp, protocol::BoundaryType boundary) {
    node->settle();
    SearchOffsetByTimestampRequest request;
    request.topic = "T";
    request.timestamp = timestamp;
    request.boundary_type = boundary;
    const Command answer =
        node->call(protocol::make_request(RequestCode::SearchOffsetByTimestamp, request));
    REQUIRE(answer.code == 0);
    return std::stoll(field(answer, "offset"));
  }
};

}  // namespace

TEST_CASE_FIXTURE(QueryNode, "query: by key") {
  send(keys("A1", "red blue"), "first");
  send(keys("A2", "red"), "second");
  send(keys("A3", "red"), "elsewhere", "U");
  const Records red = records_of(query("red"));
  CHECK(red.answer.code == 0);
  REQUIRE(red.size() == 2);
  CHECK(as_text(red[0].body) == "first");
  CHECK(as_text(red[1].body) == "second");
  // The newest when not all may come.
  const Records newest = records_of(query("red", 1));
  REQUIRE(newest.size() == 1);
  CHECK(as_text(newest[0].body) == "second");
  CHECK(std::stoll(field(red.answer, "indexLastUpdateTimestamp")) >= red[1].store_timestamp_ms);
  CHECK(std::stoll(field(red.answer, "indexLastUpdatePhyoffset")) > 0);
  const Records in_time =
      records_of(query("red", 32, false, red[0].store_timestamp_ms, red[1].store_timestamp_ms));
  CHECK(in_time.size() == 2);
}

TEST_CASE_FIXTURE(QueryNode, "query: what is not there") {
  send(keys("A1", "red"), "first");
  for (const Command& answer :
       {query("green"), query("red", 0), query("red", -1), query("red", 32, false, 0, 1000),
        query("red", 32, false, kForever - 1, kForever)}) {
    CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::QueryNotFound));
    CHECK(answer.remark == "can not find message, maybe time range not correct");
    CHECK(field(answer, "indexLastUpdateTimestamp") == "0");
    CHECK(field(answer, "indexLastUpdatePhyoffset") == "0");
  }
}

TEST_CASE_FIXTURE(QueryNode, "query: by unique key the count is the broker's") {
  send(keys("A1", "red"), "first");
  CHECK(records_of(query("A1", 0, true)).size() == 1);
  CHECK(query("A2", 32, true).code == static_cast<std::int32_t>(ResponseCode::QueryNotFound));
}

TEST_CASE_FIXTURE(QueryNode, "query: a batch's messages each by its own key") {
  Bytes body;
  for (const char* unique : {"B1", "B2", "B3"}) {
    const std::string properties = keys(unique, "batch");
    protocol::BatchEntry entry;
    entry.body = as_bytes(unique);
    entry.properties = properties;
    REQUIRE(protocol::append_batch_entry(entry, body));
  }
  SendMessageRequest header = send_header("T");
  header.batch = true;
  const Command sent =
      node->call(protocol::make_request(RequestCode::SendBatchMessage, header, std::move(body)));
  REQUIRE(sent.code == 0);
  CHECK(records_of(query("batch")).size() == 3);
  const Records second = records_of(query("B2", 1, true));
  REQUIRE(second.size() == 1);
  CHECK(as_text(second[0].body) == "B2");
}

TEST_CASE_FIXTURE(QueryNode, "query: found again after a restart") {
  send(keys("A1", "red"), "first");
  restart();
  CHECK(records_of(query("A1", 32, true)).size() == 1);
  send(keys("A2", "red"), "second");
  CHECK(records_of(query("red")).size() == 2);
}

TEST_CASE_FIXTURE(QueryNode, "view: by the offset of the message id, and nothing else") {
  send(keys("A1", "red"), "first");
  const Command sent = send(keys("A2", "red"), "second");
  const std::string id = field(sent, "msgId");
  ViewMessageByIdRequest request;
  request.offset = PhysicalOffset{std::stoll(id.substr(id.size() - 16), nullptr, 16)};
  const Records found =
      records_of(node->call(protocol::make_request(RequestCode::ViewMessageById, request)));
  CHECK(found.answer.code == 0);
  REQUIRE(found.size() == 1);
  CHECK(as_text(found[0].body) == "second");
  for (const std::int64_t wrong :
       {request.offset.value + 1, std::int64_t{-1}, std::int64_t{1} << 40, node->log_end()}) {
    request.offset = PhysicalOffset{wrong};
    const Command answer =
        node->call(protocol::make_request(RequestCode::ViewMessageById, request));
    CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SystemError));
    CHECK(answer.remark == "can not find message by the offset, " + std::to_string(wrong));
  }
}

TEST_CASE_FIXTURE(QueryNode, "search: the message at a time, from both sides") {
  using protocol::BoundaryType;
  send("", "first");
  send("", "second");
  const Records all = records_of(pull_waiting(*node, "T", 0));
  REQUIRE(all.size() == 2);
  const std::int64_t first = all[0].store_timestamp_ms;
  const std::int64_t last = all[1].store_timestamp_ms;
  CHECK(search(0, BoundaryType::Lower) == 0);
  CHECK(search(first, BoundaryType::Lower) == 0);
  CHECK(search(last + 1, BoundaryType::Lower) == 2);
  CHECK(search(last, BoundaryType::Upper) == 1);
  CHECK(search(kForever, BoundaryType::Upper) == 1);
  CHECK(search(first - 1, BoundaryType::Upper) == 0);
}

}  // namespace rmq::roles::broker
