// AdminClient: topics at their brokers, and single messages.
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/protocol_errc.h"
#include "tests/unit/client/admin_fixture.h"

using namespace rmq;
using namespace rmq::client;
using protocol::RequestCode;
using protocol::ResponseCode;
using Names = std::vector<std::string>;

namespace {

// A stored message of topic T, as a broker answers with it.
std::string record(const std::string& properties, const std::string& body,
                   const std::string& topic = "T") {
  protocol::MessageRecord message;
  message.topic = topic;
  message.queue_offset = QueueOffset{5};
  message.physical_offset = PhysicalOffset{77};
  message.properties = properties;
  message.body = as_bytes(body);
  Bytes bytes;
  protocol::encode_record(message, bytes);
  return std::string(as_text(bytes));
}

std::string property(const std::string& name, const std::string& value) {
  return name + '\x01' + value + '\x02';
}

}  // namespace

TEST_CASE("admin: what a broker knows about a topic") {
  AdminFixture fixture([](const protocol::CommandView& request) -> std::optional<net::Response> {
    CHECK(request.find("topic") == "T");
    if (request.code == 351) {
      return test::respond_body(
          R"({"topicName":"T","readQueueNums":3,"writeQueueNums":2,"perm":6,"order":true,)"
          R"("attributes":{"a":"1"}})");
    }
    return test::respond_body(
        R"({"offsetTable":{{"brokerName":"b","queueId":1,"topic":"T"}:)"
        R"({"lastUpdateTimestamp":9,"maxOffset":8,"minOffset":2}},"topicPutTps":1.5})");
  });
  const std::string address = fixture.server.address();
  const auto config =
      fixture.run<protocol::TopicConfig>([&] { return fixture.admin->topic_config(address, "T"); });
  REQUIRE(config.has_value());
  CHECK(config->topic == "T");
  CHECK(config->read_queue_nums == 3);
  CHECK(config->write_queue_nums == 2);
  CHECK(config->order);
  CHECK(config->attributes.at("a") == "1");
  const auto stats =
      fixture.run<protocol::TopicStats>([&] { return fixture.admin->topic_stats(address, "T"); });
  REQUIRE(stats.has_value());
  CHECK(stats->put_tps == 1.5);
  REQUIRE(stats->queues.size() == 1);
  const auto& [queue, of] = *stats->queues.begin();
  CHECK(queue == protocol::MessageQueue{"T", "b", 1});
  CHECK(of.min == QueueOffset{2});
  CHECK(of.max == QueueOffset{8});
  CHECK(of.last_update_ms == 9);
}

TEST_CASE("admin: the groups of a topic, from whatever the broker can tell") {
  bool knows = true;
  AdminFixture fixture([&](const protocol::CommandView& request) -> std::optional<net::Response> {
    if (request.code == 300 && knows) return test::respond_body(R"({"groupList":["b","a"]})");
    if (request.code == 300) return test::refuse(3, "request type 300 not supported");
    CHECK(request.code == 43);
    return test::respond_body(
        R"({"offsetTable":{"T@y":{0:5},"T2@z":{0:1},"T@x":{1:2},"U@T@":{0:1}}})");
  });
  const std::string address = fixture.server.address();
  const auto ask = [&] {
    return fixture.run<Names>([&] { return fixture.admin->groups_of_topic(address, "T"); });
  };
  CHECK(ask() == Names{"a", "b"});
  knows = false;
  CHECK(ask() == Names{"x", "y"});
}

TEST_CASE("admin: messages by key; what only has the same hash is left out") {
  protocol::Command last;
  std::optional<net::Response> answer;
  AdminFixture fixture([&](const protocol::CommandView& request) {
    last = protocol::Command(request);
    return answer;
  });
  const std::string address = fixture.server.address();
  MessageQuery query;
  query.topic = "T";
  query.key = "k1";
  query.max = 7;
  query.begin_ms = 10;
  query.end_ms = 20;
  const auto ask = [&] {
    return fixture.run<std::vector<ReceivedMessage>>(
        [&] { return fixture.admin->query_messages(address, "b", query); });
  };
  answer = test::respond_body(record(property("KEYS", "k0 k1"), "one") +
                              record(property("KEYS", "other"), "two") +
                              record(property("KEYS", "k1"), "three", "U"));
  const auto found = ask();
  REQUIRE(found.has_value());
  REQUIRE(found->size() == 1);
  CHECK(as_text(found->front().body) == "one");
  CHECK(found->front().queue.broker_name == "b");
  CHECK(last.code == 12);
  const protocol::CommandView view = last.view();
  CHECK(view.find("topic") == "T");
  CHECK(view.find("key") == "k1");
  CHECK(view.find("maxNum") == "7");
  CHECK(view.find("beginTimestamp") == "10");
  CHECK(view.find("endTimestamp") == "20");
  CHECK(view.find("_UNIQUE_KEY_QUERY") != "true");

  query.key = "ID7";
  query.unique_key = true;
  answer = test::respond_body(record(property("UNIQ_KEY", "ID7"), "by id") +
                              record(property("UNIQ_KEY", "ID8"), "not meant"));
  const auto by_id = ask();
  REQUIRE(by_id->size() == 1);
  CHECK(as_text(by_id->front().body) == "by id");
  CHECK(last.view().find("_UNIQUE_KEY_QUERY") == "true");

  answer = test::refuse(22, "can not find message, maybe time range not correct");
  CHECK(ask()->empty());
  answer = test::refuse(1, "broken");
  CHECK(ask().error().code == ResponseCode::SystemError);
  answer = test::respond_body("nonsense");
  CHECK_FALSE(ask().has_value());
}

TEST_CASE("admin: a message by the id that names its place") {
  protocol::Command last;
  AdminFixture fixture([&](const protocol::CommandView& request) {
    last = protocol::Command(request);
    return std::optional(test::respond_body(record(property("TAGS", "t"), "here")));
  });
  const std::array ip{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};
  const std::string address = fixture.server.address();
  const int port = std::stoi(address.substr(address.find(':') + 1));
  const protocol::MessageId id{protocol::HostAddress(ip, port), PhysicalOffset{77}};
  const std::string text(protocol::encode_message_id(id).view());
  const auto message =
      fixture.run<ReceivedMessage>([&] { return fixture.admin->view_message(text, "T"); });
  REQUIRE(message.has_value());
  CHECK(as_text(message->body) == "here");
  CHECK(message->tag == "t");
  CHECK(last.code == 33);
  CHECK(last.view().find("offset") == "77");
  CHECK(last.view().find("topic") == "T");
  const auto odd =
      fixture.run<ReceivedMessage>([&] { return fixture.admin->view_message("12zz", ""); });
  CHECK(odd.error().code == protocol::ProtocolErrc::FieldMalformed);
}
