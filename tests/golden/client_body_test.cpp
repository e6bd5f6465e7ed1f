// Bodies about clients and groups, as RocketMQ writes them.
#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "golden/golden.h"
#include "protocol/client_body.h"
#include "protocol/group_body.h"

namespace rmq::protocol {
namespace {

// Decodes the file, encodes the result, and expects the file again; the value for further checks.
template <class T, class Encode>
T round_trip(std::string_view file, Result<T> (*decode)(std::string_view), Encode&& encode) {
  INFO(file);
  const std::string text = golden::read_text(file);
  const Result<T> value = decode(text);
  REQUIRE(value.has_value());
  CHECK(encode(*value) == text);
  return *value;
}

TEST_CASE("heartbeat") {
  const HeartbeatData heartbeat = round_trip("heartbeat.json", decode_heartbeat, encode_heartbeat);
  CHECK(heartbeat.fingerprint == -77);
  REQUIRE(heartbeat.consumers.size() == 1);
  const ConsumerData& consumer = heartbeat.consumers[0];
  CHECK(consumer.group == "group");
  CHECK(consumer.consume_type == ConsumeType::Passively);
  CHECK(consumer.message_model == MessageModel::Clustering);
  CHECK(consumer.consume_from_where == ConsumeFromWhere::LastOffset);
  REQUIRE(consumer.subscriptions.size() == 2);
  CHECK(consumer.subscriptions[0].tags == std::vector<std::string>{"TagA", "T\xC3\xA4gB"});
  CHECK(consumer.subscriptions[0].tag_hashes == std::vector<std::int32_t>{2598919, 2724811});
  CHECK(consumer.subscriptions[0].sub_version == 1700000000000);
  CHECK(heartbeat.producer_groups == std::vector<std::string>{"producer-group"});

  round_trip("heartbeat_producer.json", decode_heartbeat, encode_heartbeat);
}

TEST_CASE("members, connections and locks of a group") {
  round_trip("consumer_list.json", decode_consumer_list, encode_consumer_list);
  const ConsumerConnection connection = round_trip(
      "consumer_connection.json", decode_consumer_connection, encode_consumer_connection);
  CHECK(connection.connections.at(0).version == 479);
  CHECK(connection.subscriptions.at("TopicTest").sub_string == "TagA");
  round_trip("producer_connection.json", decode_producer_connection, encode_producer_connection);
  const LockBatchBody lock =
      round_trip("lock_batch_request.json", decode_lock_batch, encode_lock_batch);
  CHECK(lock.queues.at(0) == MessageQueue{"TopicTest", "broker-a", 3});
  CHECK(round_trip("unlock_batch_request.json", decode_lock_batch, encode_lock_batch)
            .only_this_broker);
  round_trip("lock_batch_response.json", decode_lock_batch_answer, encode_lock_batch_answer);
}

TEST_CASE("group config and the table of groups, compact and as the file") {
  const SubscriptionGroupConfig config = round_trip(
      "subscription_group_config.json", decode_subscription_group, encode_subscription_group);
  CHECK(config.retry_max_times == 5);
  CHECK(config.consume_message_orderly);
  const auto pretty = [](const SubscriptionGroupTableBody& body) {
    return encode_subscription_groups(body, json::kPretty);
  };
  // The class that reads the table knows no forbiddenTable; a broker writes one nevertheless.
  const auto wrapper =
      decode_subscription_groups(golden::read_text("subscription_group_wrapper.json"));
  REQUIRE(wrapper.has_value());
  CHECK(wrapper->groups.at("group") == config);
  CHECK(wrapper->forbidden.empty());
  const SubscriptionGroupTableBody file =
      round_trip("config_subscription_group.json", decode_subscription_groups, pretty);
  CHECK(file.forbidden.at("group").at("TopicTest") == 1);
}

}  // namespace
}  // namespace rmq::protocol
