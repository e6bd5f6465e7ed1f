// A broker that stops sends its producers away before it closes their connections.
#include <doctest/doctest.h>

#include <ostream>
#include <thread>

#include "protocol/client.h"
#include "protocol/client_body.h"
#include "protocol/offset.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

constexpr std::int32_t kV531 = 475;
constexpr std::int32_t kV532 = 477;

void join_as_producer(Node& node) {
  protocol::HeartbeatData data;
  data.client_id = "producer";
  data.producer_groups = {"p"};
  const std::string text = protocol::encode_heartbeat(data);
  const ByteView body = as_bytes(text);
  REQUIRE(node.call(protocol::make_request(RequestCode::HeartBeat, protocol::HeartBeatRequest{},
                                           Bytes(body.begin(), body.end())))
              .code == 0);
}

// What a client of this kind is answered before and during a stop, until the connection ends: each
// code once.
std::vector<std::int32_t> answers_of_a_stop(protocol::Language language, std::int32_t version) {
  const test::TempDirectory directory;
  Node node(test_config(directory.path()));
  join_as_producer(node);
  Command request =
      protocol::make_request(RequestCode::GetConsumerListByGroup,
                             protocol::GetConsumerListByGroupRequest{.consumer_group = "nobody"});
  request.language = language;
  request.version = version;
  const std::string address = node.address();
  std::function<net::Task<Result<Command>>()> ask = [&node, address, request] {
    return node.client->call(address, request, 10s);
  };
  const auto first = net::run_blocking<Result<Command>>(node.threads.control(), ask);
  REQUIRE(first);

  std::thread stopping([&node] { node.broker.stop(); });
  std::vector<std::int32_t> codes{first->code};
  for (;;) {
    std::function<net::Task<Result<Command>>()> again = ask;
    const auto answer = net::run_blocking<Result<Command>>(node.threads.control(), again);
    if (!answer) break;
    if (codes.back() != answer->code) codes.push_back(answer->code);
  }
  stopping.join();
  return codes;
}

constexpr auto kGoAway = static_cast<std::int32_t>(ResponseCode::GoAway);

TEST_CASE("broker stop: a Java client that knows GO_AWAY gets it before the connection ends") {
  const auto codes = answers_of_a_stop(protocol::Language::Java, kV532);
  REQUIRE(codes.size() == 2);
  CHECK(codes.back() == kGoAway);
}

TEST_CASE("broker stop: a held pull is answered, because who leaves the connection forgets it") {
  const test::TempDirectory directory;
  Node node(test_config(directory.path()));
  join_as_producer(node);
  REQUIRE(node.call(send_request(send_header("T"), "message")).code == 0);
  std::future<Command> pull =
      std::async(std::launch::async, [&node] { return pull_waiting(node, "T", 1); });
  while (node.broker.long_polls.held() == 0) std::this_thread::yield();
  node.broker.stop();
  CHECK(pull.get().code == static_cast<std::int32_t>(ResponseCode::PullNotFound));
}

TEST_CASE("broker stop: others are served until the connection ends") {
  CHECK(answers_of_a_stop(protocol::Language::Java, kV531).size() == 1);
  CHECK(answers_of_a_stop(protocol::Language::Cpp, kV532).size() == 1);
}

}  // namespace
}  // namespace rmq::roles::broker
