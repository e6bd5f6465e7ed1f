// Topics, groups and offsets as tools and slaves ask for them, through a broker's port; and the
// first form of sending.
#include "protocol/group.h"
#include "protocol/group_body.h"
#include "protocol/topic.h"
#include "roles/broker/offsets/offset_search.h"
#include "tests/support/broker_member.h"

namespace rmq::roles::broker {
namespace {

struct Admin : Fixture {
  // Three messages in queue 0 of four.
  Admin() {
    for (int i = 0; i < 3; ++i) node->call(send_request(send_header("T"), "x"));
    node->settle();
  }
  template <class Header>
  Command call(RequestCode code, const Header& header, std::string_view body = {}) {
    return tool->call(code, header, body);
  }
  Command update_topic(std::string_view topic, std::int32_t queues,
                       std::string_view filter = "SINGLE_TAG") {
    protocol::UpdateAndCreateTopicRequest request;
    request.topic = topic;
    request.default_topic = "TBW102";
    request.read_queue_nums = request.write_queue_nums = queues;
    request.perm = 6;
    request.topic_filter_type = filter;
    return call(RequestCode::UpdateAndCreateTopic, request);
  }
  std::int64_t last_time() const {
    return store_time(*node->broker.store, "T", 0, QueueOffset{2}).value_or(-1);
  }

  std::optional<BrokerMember> tool{std::in_place, *node, "tool"};
};

}  // namespace

TEST_CASE_FIXTURE(Admin, "admin requests: a topic is made, changed and shown") {
  REQUIRE(update_topic("made", 3).code == 0);
  const Command shown = call(RequestCode::GetTopicConfig,
                             protocol::GetTopicConfigRequest{.topic = "made", .logical = {}});
  CHECK(as_text(shown.body).find("\"readQueueNums\":3") != std::string_view::npos);
  REQUIRE(update_topic("made", 5).code == 0);
  const Command all = call(RequestCode::GetAllTopicConfig, protocol::GetAllTopicConfigRequest{});
  CHECK(all.code == 0);
  CHECK(std::stoul(field(all, "totalTopicNum")) == node->broker.topics.snapshot().load()->size());
  const std::string_view body = as_text(all.body);
  const std::size_t made = body.find("\"made\":{");
  REQUIRE(made != std::string_view::npos);
  CHECK(body.find("\"readQueueNums\":5", made) < body.find("\"topicName\":\"made\"", made));

  CHECK(update_topic("bad name", 1).code == 29);
  CHECK(update_topic("TBW102", 1).code == 29);
  CHECK(update_topic("other", 1, "NO_TAG").code == 1);
  const Command unknown = call(RequestCode::GetTopicConfig,
                               protocol::GetTopicConfigRequest{.topic = "Nope", .logical = {}});
  CHECK(unknown.code == 17);
  CHECK(unknown.remark == "No topic in this broker. topic: Nope");
}

TEST_CASE_FIXTURE(Admin, "admin requests: a group is made, shown and deleted") {
  protocol::SubscriptionGroupConfig group;
  group.group = "made";
  group.retry_max_times = 3;
  const auto update = [&] {
    return call(RequestCode::UpdateAndCreateSubscriptiongroup,
                protocol::UpdateAndCreateSubscriptiongroupRequest{},
                protocol::encode_subscription_group(group))
        .code;
  };
  CHECK(update() == 0);
  const auto groups = [&] {
    const Command answer = call(RequestCode::GetAllSubscriptiongroupConfig,
                                protocol::GetAllSubscriptiongroupConfigRequest{});
    const auto table = protocol::decode_subscription_groups(as_text(answer.body));
    REQUIRE(table);
    CHECK(field(answer, "totalGroupNum") == std::to_string(table->groups.size()));
    return table->groups;
  };
  CHECK(groups().at("made").retry_max_times == 3);
  for (const char* topic : {"T", "U"})
    node->broker.offsets.commit("peer", "made", topic, 0, QueueOffset{2});
  node->broker.offsets.reset("made", "T", 1, QueueOffset{1});
  node->broker.readers.note("made", "T", 0, {1, QueueOffset{2}});
  node->broker.first_offsets.remember("made", "T", 1, [](QueueId) { return QueueOffset{3}; });

  protocol::DeleteSubscriptiongroupRequest deletion;
  deletion.group_name = "made";
  REQUIRE(call(RequestCode::DeleteSubscriptiongroup, deletion).code == 0);
  CHECK_FALSE(groups().contains("made"));
  CHECK(node->broker.offsets.topics_of("made").size() == 2);  // kept unless asked for
  deletion.clean_offset = true;
  REQUIRE(call(RequestCode::DeleteSubscriptiongroup, deletion).code == 0);
  CHECK(node->broker.offsets.topics_of("made").empty());
  CHECK_FALSE(node->broker.offsets.reset_pending("made", "T", 1));
  CHECK_FALSE(node->broker.readers.find("made", "T", 0).has_value());
  CHECK_FALSE(node->broker.first_offsets.find("made", "T", 0).has_value());

  group.group = "bad name";
  CHECK(update() == 29);
  tool.reset();
  restart();
  CHECK_FALSE(node->broker.groups.contains("made"));
}

TEST_CASE_FIXTURE(Admin, "admin requests: where queues begin and end") {
  protocol::GetMaxOffsetRequest max;
  max.topic = "T";
  CHECK(field(call(RequestCode::GetMaxOffset, max), "offset") == "3");
  protocol::GetMinOffsetRequest min;
  min.topic = "T";
  CHECK(field(call(RequestCode::GetMinOffset, min), "offset") == "0");
  protocol::GetEarliestMsgStoretimeRequest earliest;
  earliest.topic = "T";
  const std::int64_t time =
      std::stoll(field(call(RequestCode::GetEarliestMsgStoretime, earliest), "timestamp"));
  CHECK(time > 1'700'000'000'000);
  CHECK(time <= last_time());
  max.queue_id = earliest.queue_id = 1;  // nothing is there
  CHECK(field(call(RequestCode::GetMaxOffset, max), "offset") == "0");
  CHECK(field(call(RequestCode::GetEarliestMsgStoretime, earliest), "timestamp") == "-1");
}

TEST_CASE_FIXTURE(Admin, "admin requests: a group's offset, committed, young or unknown") {
  protocol::QueryConsumerOffsetRequest query;
  query.consumer_group = "g";
  query.topic = "T";
  const auto ask = [&] { return call(RequestCode::QueryConsumerOffset, query); };
  CHECK(field(ask(), "offset") == "0");
  query.set_zero_if_not_found = false;
  CHECK(ask().code == 22);
  node->broker.groups.find_or_create("g");
  REQUIRE(tool->commit(2).code == 0);
  CHECK(field(ask(), "offset") == "2");
}

TEST_CASE_FIXTURE(Admin, "admin requests: tables of offsets") {
  node->broker.offsets.commit("peer", "g", "T", 0, QueueOffset{2});
  const Command consumer =
      call(RequestCode::GetAllConsumerOffset, protocol::GetAllConsumerOffsetRequest{});
  CHECK(as_text(consumer.body).find(R"("offsetTable":{"T@g":{0:2}})") != std::string_view::npos);

  const std::string delayed = property("DELAY", "1");
  REQUIRE(node->call(send_request(send_header("T", delayed), "later")).code == 0);
  const auto delivered = [&] { return node->broker.delay_progress.next(1) == QueueOffset{1}; };
  while (!delivered()) std::this_thread::yield();
  const Command delay = call(RequestCode::GetAllDelayOffset, protocol::GetAllDelayOffsetRequest{});
  CHECK(as_text(delay.body).starts_with("{\"dataVersion\":{"));
  CHECK(as_text(delay.body).find("1:1") != std::string_view::npos);
}

TEST_CASE_FIXTURE(Admin, "admin requests: statistics of a topic") {
  protocol::GetTopicStatsInfoRequest request;
  request.topic = "Nope";
  CHECK(call(RequestCode::GetTopicStatsInfo, request).code == 17);
  request.topic = "T";
  const Command stats = call(RequestCode::GetTopicStatsInfo, request);
  const std::string first =
      R"({"offsetTable":{{"brokerName":"test-broker","queueId":0,"topic":"T"}:)"
      R"({"lastUpdateTimestamp":)" +
      std::to_string(last_time()) + R"(,"maxOffset":3,"minOffset":0},)";
  CHECK(as_text(stats.body).starts_with(first));
  CHECK(as_text(stats.body).find("\"queueId\":3") != std::string_view::npos);
  CHECK(as_text(stats.body).find("\"queueId\":4") == std::string_view::npos);
}

TEST_CASE_FIXTURE(Admin, "admin requests: how far a group has come") {
  const auto ask = [&](std::string_view topic, std::string_view list) {
    protocol::GetConsumeStatsRequest request;
    request.consumer_group = "g";
    request.topic = topic;
    request.topic_list = list;
    const Command answer = call(RequestCode::GetConsumeStats, request);
    REQUIRE(answer.code == 0);
    return std::string(as_text(answer.body));
  };
  const std::string nothing = R"({"consumeTps":0.0,"offsetTable":{}})";
  CHECK(ask("", "") == nothing);
  CHECK(ask("Nope", "") == nothing);
  BrokerMember consumer{*node, "a"};
  consumer.join("g");
  REQUIRE(consumer.pull(1).code == 0);
  REQUIRE(consumer.commit(2).code == 0);
  const std::string queue =
      R"({"brokerName":"test-broker","queueId":0,"topic":"T"}:{"brokerOffset":3,"consumerOffset":2,)"
      R"("lastTimestamp":)" +
      std::to_string(store_time(*node->broker.store, "T", 0, QueueOffset{1}).value_or(-1)) +
      R"(,"pullOffset":3})";
  CHECK(ask("", "").find(queue) != std::string::npos);
  CHECK(ask("T", "").find(queue) != std::string::npos);
  // The group's consumers do not subscribe to U: only who names it in the list is told.
  REQUIRE(update_topic("U", 1).code == 0);
  node->broker.offsets.commit("peer", "g", "U", 0, QueueOffset{0});
  CHECK(ask("", "").find("\"U\"") == std::string::npos);
  CHECK(ask("U", "") == nothing);
  const std::string both = ask("", "U;T;Nope");
  CHECK(both.find("\"U\"") != std::string::npos);
  CHECK(both.find("\"T\"") != std::string::npos);
}

TEST_CASE_FIXTURE(Admin, "admin requests: the long form of sending, and the lite pull") {
  const Command sent = call(RequestCode::SendMessage, send_header("T"), "long form");
  CHECK(sent.code == 0);
  CHECK(field(sent, "queueOffset") == "3");
  node->settle();
  const Command pulled = call(RequestCode::LitePullMessage, pull_header("T", 3));
  const Records records = records_of(pulled);
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "long form");
}

TEST_CASE("admin requests: lite pulls may be forbidden") {
  test::TempDirectory directory;
  BrokerConfig config = test_config(directory.path());
  config.lite_pull_message_enable = false;
  Node node(config);
  node.call(send_request(send_header("T"), "x"));
  node.settle();
  const auto request = protocol::make_request(RequestCode::LitePullMessage, pull_header("T", 0));
  CHECK(node.call(request).code == 16);
  CHECK(node.pull(pull_header("T", 0)).code == 0);
}

}  // namespace rmq::roles::broker
