// What a producer does about brokers that do not answer, and about routes that changed.
#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <ostream>

#include "client/client_errc.h"
#include "client/producer.h"
#include "protocol/response_codes.h"
#include "tests/support/fake_cluster.h"
#include "tests/support/storing_broker.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::FakeCluster;
using test::FakeServer;
using test::StoringBroker;

namespace {

Message a_message() {
  Message message;
  message.topic = "T";
  message.body = Bytes(3, std::byte{'x'});
  return message;
}

Result<SendResult> send(FakeCluster& cluster, Producer& producer,
                        std::chrono::milliseconds timeout) {
  return cluster.run<Result<SendResult>>([&] { return producer.send(a_message(), timeout); });
}

void run(FakeCluster& cluster, std::function<net::Task<>()> start) {
  net::run_blocking<void>(cluster.threads.control(), std::move(start));
}

// Two brokers; the first hangs.
struct OneHangs {
  OneHangs() {
    cluster.add_broker("hangs", "T", 4, hangs.answer());
    cluster.add_broker("works", "T", 4, works.answer());
    hangs.hang(true);
  }
  StoringBroker hangs;
  StoringBroker works;
  FakeCluster cluster;
};

}  // namespace

TEST_CASE("a broker that stops answering is avoided after its first time-out") {
  OneHangs setup;
  Producer producer(setup.cluster.client(), {});
  for (int i = 0; i < 20; ++i) {
    const auto sent = send(setup.cluster, producer, 400ms);
    REQUIRE(sent.has_value());
    CHECK(sent->queue.broker_name == "works");
  }
  CHECK(setup.hangs.sends() == 1);
  // All four queues of the other one have their share, but for the one message that came late.
  CHECK(setup.works.sends_by_queue().size() == 4);
  for (const auto& [queue, count] : setup.works.sends_by_queue()) CHECK(count >= 4);
}

TEST_CASE("without avoidance every turn meets it again") {
  OneHangs setup;
  ProducerOptions options;
  options.avoid_faulty = false;
  Producer producer(setup.cluster.client(), options);
  for (int i = 0; i < 8; ++i) REQUIRE(send(setup.cluster, producer, 100ms).has_value());
  CHECK(setup.hangs.sends() == 4);
}

TEST_CASE("it is used again at the end of its penalty, also when nobody probes it") {
  OneHangs setup;
  Producer producer(setup.cluster.client(), {});
  while (setup.hangs.sends() == 0) REQUIRE(send(setup.cluster, producer, 400ms).has_value());
  setup.hangs.hang(false);
  for (int i = 0; i < 8; ++i) {
    CHECK(send(setup.cluster, producer, 400ms)->queue.broker_name == "works");
  }
  setup.cluster.clock.advance(kSilencePenalty);
  for (int i = 0; i < 8; ++i) REQUIRE(send(setup.cluster, producer, 400ms).has_value());
  CHECK(setup.hangs.sends() == 5);
}

TEST_CASE("it is used again when a probe finds it well, long before the end of its penalty") {
  OneHangs setup;
  Producer producer(setup.cluster.client(), {});
  run(setup.cluster, [&] { return producer.start(); });
  while (setup.hangs.sends() == 0) REQUIRE(send(setup.cluster, producer, 400ms).has_value());
  setup.hangs.hang(false);
  // The clock of penalties stands still: only a probe can end it. The test's time limit is the only
  // other end.
  while (send(setup.cluster, producer, 400ms)->queue.broker_name != "hangs") {
    std::this_thread::yield();
  }
  run(setup.cluster, [&] { return producer.shutdown(); });
}

TEST_CASE("when all brokers are avoided they are tried all the same") {
  StoringBroker only;
  FakeCluster cluster;
  cluster.add_broker("a", "T", 1, only.answer());
  Producer producer(cluster.client(), {});
  only.hang(true);
  CHECK(send(cluster, producer, 50ms).error().code == net::NetErrc::TimedOut);
  only.hang(false);
  CHECK(send(cluster, producer, 10s).has_value());
}

TEST_CASE("a dead cluster fails within the time that was given, with the last broker's reason") {
  StoringBroker silent;
  FakeCluster cluster;
  cluster.add_route("gone", "T", 4, "127.0.0.1:1");
  FakeServer& hangs = cluster.add_broker("hangs", "T", 4, silent.answer());
  silent.hang(true);
  Producer producer(cluster.client(), {});
  for (int i = 0; i < 4; ++i) {
    const SteadyTime begin = std::chrono::steady_clock::now();
    const auto sent = send(cluster, producer, 300ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    REQUIRE_FALSE(sent.has_value());
    // Far below what any time-out of its own would take.
    CHECK(took < 2s);
    const bool named = sent.error().detail.find(hangs.address()) != std::string::npos ||
                       sent.error().detail.find("127.0.0.1:1") != std::string::npos;
    CHECK(named);
    const bool reason = sent.error().code == net::NetErrc::TimedOut ||
                        sent.error().code == net::NetErrc::ConnectFailed;
    CHECK(reason);
  }
}

TEST_CASE("a broker that refuses because the route changed: the same send asks the route again") {
  for (const std::int32_t code : {14, 16, 17, 501}) {
    CAPTURE(code);
    StoringBroker moved_to;
    FakeCluster cluster;
    FakeServer second(cluster.threads, moved_to.answer());
    cluster.add_broker("a", "T", 4, [&](const protocol::CommandView&) {
      // The broker's master is elsewhere now, and name servers know it.
      cluster.routes["T"].broker_datas[0].broker_addrs[protocol::kMasterId] = second.address();
      return std::optional(test::refuse(code, "not here"));
    });
    Producer producer(cluster.client(), {});
    const auto sent = send(cluster, producer, 10s);
    REQUIRE(sent.has_value());
    CHECK(sent->broker_address == second.address());
    CHECK(sent->attempts == 2);
    CHECK(cluster.name_server->count(RequestCode::GetRouteinfoByTopic) == 2);
    cluster.threads.stop();
  }
}

TEST_CASE("the producer tells brokers its group, and that it leaves") {
  StoringBroker broker;
  FakeCluster cluster;
  FakeServer& server = cluster.add_broker("a", "T", 1, broker.answer());
  ProducerOptions options;
  options.group = "P";
  Producer producer(cluster.client(), options);
  REQUIRE(send(cluster, producer, 10s).has_value());
  run(cluster, [&] { return producer.start(); });
  REQUIRE(broker.heartbeats().size() == 1);
  const protocol::HeartbeatData beat = broker.heartbeats()[0];
  CHECK(beat.client_id == cluster.client().client_id());
  CHECK(beat.producer_groups == std::vector<std::string>{"P"});
  CHECK(beat.consumers.empty());
  run(cluster, [&] { return producer.shutdown(); });
  CHECK(server.count(RequestCode::UnregisterClient) == 1);
}

TEST_CASE("a broker that lost the connection is told again") {
  StoringBroker broker;
  FakeCluster cluster;
  FakeServer& server = cluster.add_broker("a", "T", 1, broker.answer());
  Producer producer(cluster.client(), {});
  REQUIRE(send(cluster, producer, 10s).has_value());
  run(cluster, [&] { return producer.start(); });
  const std::string address = server.address();
  run(cluster, [&]() -> net::Task<> {
    const auto connection = co_await cluster.client().rpc().connection(address, 10s);
    (*connection)->close();
  });
  while (broker.heartbeats().size() < 2) std::this_thread::yield();
  run(cluster, [&] { return producer.shutdown(); });
}
