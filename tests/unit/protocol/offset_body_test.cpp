#include "protocol/offset_body.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "base/file_system.h"

namespace rmq::protocol {
namespace {

std::string golden(const std::string& name) {
  return *read_text_file(FileSystem::posix(),
                         std::string(RMQ_TEST_SOURCE_DIR) + "/golden/data/" + name);
}

const MessageQueue kQueue{.topic = "TopicTest", .broker_name = "broker-a", .queue_id = 3};

TEST_CASE("offset bodies: the bytes are Java's") {
  const QueueOffsetMap reset{{kQueue, QueueOffset{5}}};
  CHECK(encode_reset_offset(reset) == golden("reset_offset.json"));
  CHECK(decode_reset_offset(golden("reset_offset.json")) == reset);

  TopicStats topic;
  topic.put_tps = 12.5;
  topic.queues[kQueue] = {.last_update_ms = 1'700'000'000'123,
                          .min = QueueOffset{1},
                          .max = QueueOffset{4'294'967'299}};
  CHECK(encode_topic_stats(topic) == golden("topic_stats.json"));

  ConsumeStats consume;
  consume.queues[kQueue] = {.broker = QueueOffset{4'294'967'299},
                            .consumer = QueueOffset{17},
                            .pull = QueueOffset{18},
                            .last_timestamp = 1'700'000'000'123};
  CHECK(encode_consume_stats(consume) == golden("consume_stats.json"));
  const auto decoded = decode_consume_stats(golden("consume_stats.json"));
  REQUIRE(decoded);
  CHECK(encode_consume_stats(*decoded) == golden("consume_stats.json"));
  CHECK_FALSE(decode_consume_stats("{"));
}

TEST_CASE("offset bodies: the C++ client's form") {
  CHECK(
      encode_reset_offset_for_cpp({{kQueue, QueueOffset{5}}}) ==
      R"({"offsetTable":[{"brokerName":"broker-a","offset":5,"queueId":3,"topic":"TopicTest"}]})");
  CHECK(encode_reset_offset_for_cpp({}) == R"({"offsetTable":[]})");
}

TEST_CASE("offset bodies: what clients answer") {
  const QueueOffsetMap held{{kQueue, QueueOffset{5}}};
  CHECK(decode_client_status(encode_client_status(held)) == held);
  // Keys as text, numbers as text, and what means nothing.
  const std::string odd =
      R"({"messageQueueTable":{"{\"brokerName\":\"broker-a\",\"queueId\":3,\"topic\":\"TopicTest\"}":"5",)"
      R"({"$ref":"$.x"}:7,"x":1,{"topic":"T"}:null}})";
  CHECK(decode_client_status(odd) == held);
  CHECK(decode_client_status("{}") == QueueOffsetMap{});
  CHECK_FALSE(decode_client_status("[]"));
  CHECK_FALSE(decode_reset_offset(R"({"offsetTable":)"));
  CHECK(encode_consumer_status({}) == R"({"consumerTable":{},"messageQueueTable":{}})");
}

}  // namespace
}  // namespace rmq::protocol
