// Replies to messages that asked for one: pushed to who asked, and kept.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "net/response_frame.h"
#include "net/service.h"
#include "protocol/client_body.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

constexpr std::string_view kReplyTopic = "DefaultCluster_REPLY_TOPIC";

// Takes the replies that a broker pushes.
class Replies : public net::Service {
 public:
  void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override {
    {
      std::lock_guard lock(mutex_);
      taken_.emplace_back(command);
    }
    net::Response answer;
    answer.code = static_cast<std::int32_t>(answer_.load());
    net::write_response(turn.connection.out(), net::Asked(command), std::move(answer));
  }
  void on_turn_end(net::ReadTurn&) override {}
  void on_closed(net::Connection&) override {}

  std::vector<Command> taken() {
    std::lock_guard lock(mutex_);
    return taken_;
  }
  void answer(ResponseCode code) { answer_ = code; }

 private:
  std::atomic<ResponseCode> answer_ = ResponseCode::Success;
  std::mutex mutex_;
  std::vector<Command> taken_;
};

// A broker, and a producer "asker@1" that waits for replies.
struct AskerFixture {
  AskerFixture() { connect(); }
  void connect() {
    client = std::make_unique<net::RpcClient>(node->threads, &replies);
    protocol::HeartbeatData heartbeat;
    heartbeat.client_id = "asker@1";
    heartbeat.producer_groups = {"askers"};
    Command request;
    request.code = static_cast<std::int32_t>(RequestCode::HeartBeat);
    const std::string body = protocol::encode_heartbeat(heartbeat);
    request.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    std::function<net::Task<Result<Command>>()> start = [this, request] {
      return client->call(node->address(), request, 10s);
    };
    REQUIRE(net::run_blocking<Result<Command>>(node->threads.control(), start));
  }

  Replies replies;  // outlives the connections that it serves
  test::TempDirectory directory;
  std::unique_ptr<Node> node = std::make_unique<Node>(test_config(directory.path()));
  std::unique_ptr<net::RpcClient> client;
};

Command reply_request(std::string_view properties,
                      RequestCode code = RequestCode::SendReplyMessageV2) {
  SendMessageRequest header = send_header(kReplyTopic, properties);
  const std::string_view body = "the reply";
  return protocol::make_request(code, header, Bytes(as_bytes(body).begin(), as_bytes(body).end()));
}

std::string reply_to(std::string_view client) {
  return property("REPLY_TO_CLIENT", client) + property("CORRELATION_ID", "c1");
}

}  // namespace

TEST_CASE_FIXTURE(AskerFixture, "reply: it reaches the client that asked, and is kept") {
  const Command answer = node->call(reply_request(reply_to("asker@1")));
  CHECK(answer.code == 0);
  CHECK(field(answer, "queueOffset") == "0");
  CHECK(field(answer, "MSG_REGION") == "DefaultRegion");
  const std::vector<Command> taken = replies.taken();
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].code == static_cast<std::int32_t>(RequestCode::PushReplyMessageToClient));
  CHECK(as_text(taken[0].body) == "the reply");
  const std::string properties = field(taken[0], "properties");
  CHECK(protocol::find_property(properties, "CORRELATION_ID") == "c1");
  CHECK(protocol::find_property(properties, "PUSH_REPLY_TIME"));
  CHECK(field(taken[0], "storeHost") == node->broker.address());
  const auto records = records_of(pull_waiting(*node, kReplyTopic, 0));
  REQUIRE(records.size() == 1);
  CHECK(as_text(records[0].body) == "the reply");
}

TEST_CASE_FIXTURE(AskerFixture, "reply: what went wrong is said, and the reply is kept") {
  std::string remark;
  SUBCASE("nobody of that name is connected") {
    remark = "push reply message fail, channel of <other> not found.";
    const Command answer = node->call(reply_request(reply_to("other")));
    CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SystemError));
    CHECK(answer.remark == remark);
    CHECK(field(answer, "MSG_REGION") == "DefaultRegion");
  }
  SUBCASE("the message says nobody") {
    remark = "reply message properties[REPLY_TO_CLIENT] is null";
    CHECK(node->call(reply_request("")).remark == remark);
  }
  SUBCASE("the client does not take it") {
    replies.answer(ResponseCode::SystemError);
    remark = "push reply message to asker@1fail.";
    CHECK(node->call(reply_request(reply_to("asker@1"))).remark == remark);
  }
  CHECK(records_of(pull_waiting(*node, kReplyTopic, 0)).size() == 1);
}

TEST_CASE_FIXTURE(AskerFixture, "reply: it is not kept where the broker is told so") {
  client.reset();
  node.reset();
  BrokerConfig config = test_config(directory.path());
  config.store_reply_message_enable = false;
  node = std::make_unique<Node>(config);
  connect();
  const Command answer =
      node->call(reply_request(reply_to("asker@1"), RequestCode::SendReplyMessage));
  CHECK(answer.code == 0);
  CHECK(field(answer, "msgId") == "0");
  CHECK(replies.taken().size() == 1);
  CHECK(node->log_end() == 0);
}

TEST_CASE_FIXTURE(AskerFixture, "reply: what a send refuses is refused here") {
  const std::string properties = reply_to("x");
  SendMessageRequest header = send_header("SCHEDULE_TOPIC_XXXX", properties);
  const Command answer =
      node->call(protocol::make_request(RequestCode::SendReplyMessageV2, header, Bytes(1)));
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::NoPermission));
  CHECK(field(answer, "TRACE_ON") == "true");
  CHECK(node->log_end() == 0);
}

}  // namespace rmq::roles::broker
