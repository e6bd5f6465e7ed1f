#include <doctest/doctest.h>

#include <ostream>

#include "protocol/client_body.h"
#include "protocol/group_body.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {

TEST_CASE("heartbeat of the C++ client: enums as numbers, version as text, sets left out") {
  const auto heartbeat = decode_heartbeat(
      R"({"clientID":"c","consumerDataSet":[{"consumeFromWhere":0,"consumeType":1,)"
      R"("groupName":"g","messageModel":1,"subscriptionDataSet":[{"classFilterMode":false,)"
      R"("expressionType":"TAG","subString":"*","subVersion":"1700000000000","topic":"T"}],)"
      "\"unitMode\":false}],\"producerDataSet\":[]}\n");
  REQUIRE(heartbeat.has_value());
  const ConsumerData& consumer = heartbeat->consumers.at(0);
  CHECK(consumer.consume_type == ConsumeType::Passively);
  CHECK(consumer.message_model == MessageModel::Clustering);
  CHECK(consumer.consume_from_where == ConsumeFromWhere::LastOffset);
  CHECK(consumer.subscriptions.at(0).sub_version == 1700000000000);
  CHECK(consumer.subscriptions.at(0).tags.empty());
  CHECK(heartbeat->fingerprint == 0);
  CHECK_FALSE(heartbeat->without_sub);
}

TEST_CASE("heartbeat of the Go client: hashes as text, version 0") {
  const auto heartbeat = decode_heartbeat(
      R"({"clientID":"c","producerDataSet":[{"groupName":"p"}],"consumerDataSet":[{)"
      R"("groupName":"g","consumeType":"CONSUME_PASSIVELY","messageModel":"Clustering",)"
      R"("consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","subscriptionDataSet":[{)"
      R"("classFilterMode":false,"topic":"T","subString":"a||b","tagsSet":["a","b"],)"
      R"("codeSet":["97","98"],"subVersion":0,"expressionType":"TAG"}],"unitMode":false}]})");
  REQUIRE(heartbeat.has_value());
  const ConsumerData& consumer = heartbeat->consumers.at(0);
  CHECK(consumer.consume_from_where == ConsumeFromWhere::FirstOffset);
  CHECK(consumer.message_model == MessageModel::Clustering);
  CHECK(consumer.subscriptions.at(0).tag_hashes == std::vector<std::int32_t>{97, 98});
  CHECK(consumer.subscriptions.at(0).sub_version == 0);
}

TEST_CASE("heartbeat: what is missing, null or unknown") {
  const auto heartbeat = decode_heartbeat(
      R"({"clientID":"c","consumerDataSet":[null,{"groupName":"g","consumeType":"NEW_KIND",)"
      R"("messageModel":9,"subscriptionDataSet":null}],"producerDataSet":null,"later":{"a":[1]}})");
  REQUIRE(heartbeat.has_value());
  REQUIRE(heartbeat->consumers.size() == 1);
  CHECK_FALSE(heartbeat->consumers[0].consume_type.has_value());
  CHECK_FALSE(heartbeat->consumers[0].message_model.has_value());
  CHECK(heartbeat->producer_groups.empty());

  CHECK(decode_heartbeat("").error().code == ProtocolErrc::BodyMalformed);
  CHECK(decode_heartbeat("[]").error().code == ProtocolErrc::BodyMalformed);
  CHECK(decode_heartbeat("{\"clientID\":").error().code == ProtocolErrc::BodyMalformed);
}

TEST_CASE("a tag expression is one without a type, or of type TAG") {
  SubscriptionData subscription;
  CHECK(subscription.is_tag_type());
  subscription.expression_type = "";
  CHECK(subscription.is_tag_type());
  subscription.expression_type = "SQL92";
  CHECK_FALSE(subscription.is_tag_type());
}

TEST_CASE("check client config: both ways") {
  CheckClientBody body{.client_id = "c", .group = "g", .name_space = "n", .subscription = {}};
  body.subscription.emplace();
  body.subscription->topic = "T";
  body.subscription->expression_type = "SQL92";
  body.subscription->sub_string = "a > 1";
  CHECK(encode_check_client(body) ==
        R"({"clientId":"c","group":"g","namespace":"n","subscriptionData":{)"
        R"("classFilterMode":false,"codeSet":[],"expressionType":"SQL92","subString":"a > 1",)"
        R"("subVersion":0,"tagsSet":[],"topic":"T"}})");
  CHECK(decode_check_client(encode_check_client(body)) == body);
  CHECK_FALSE(decode_check_client("{}")->subscription.has_value());
}

TEST_CASE("group config: retry policies and administrators' subscriptions, both ways") {
  SubscriptionGroupConfig config;
  config.group = "g";
  config.attributes = {{"k", "v"}};
  config.retry_policy.type = GroupRetryPolicyType::Exponential;
  config.retry_policy.exponential = ExponentialRetryPolicy{1000, 60'000, 3};
  config.retry_policy.customized_ms = {1000, 5000};
  config.subscriptions = {{"T", "TAG", "a", 7}};
  CHECK(encode_subscription_group(config) ==
        R"({"attributes":{"k":"v"},"brokerId":0,"consumeBroadcastEnable":true,)"
        R"("consumeEnable":true,"consumeFromMinEnable":true,"consumeMessageOrderly":false,)"
        R"("consumeTimeoutMinute":15,"groupName":"g","groupRetryPolicy":{)"
        R"("customizedRetryPolicy":{"next":[1000,5000]},"exponentialRetryPolicy":{)"
        R"("initial":1000,"max":60000,"multiplier":3},"type":"EXPONENTIAL"},"groupSysFlag":0,)"
        R"("notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,)"
        R"("subscriptionDataSet":[{"expression":"a","expressionType":"TAG","topic":"T",)"
        R"("version":7}],"whichBrokerWhenConsumeSlowly":1})");
  CHECK(decode_subscription_group(encode_subscription_group(config)) == config);
}

TEST_CASE("group config: defaults for what is missing") {
  SubscriptionGroupConfig defaults;
  defaults.group = "g";
  CHECK(decode_subscription_group(R"({"groupName":"g","unknown":1,"retryMaxTimes":null})") ==
        defaults);
  const auto table = decode_subscription_groups(
      R"({"subscriptionGroupTable":{"g":{},"bad":3},"forbiddenTable":null})");
  REQUIRE(table.has_value());
  CHECK(table->groups.size() == 1);
  CHECK(table->groups.at("g") == defaults);
  CHECK(decode_subscription_groups("nonsense").error().code == ProtocolErrc::BodyMalformed);
}

}  // namespace rmq::protocol
