// Loads on a broker that a test plays.
#include <doctest/doctest.h>

#include <ostream>
#include <set>
#include <thread>

#include "load/process_usage.h"
#include "load/pull_load.h"
#include "load/send_load.h"
#include "protocol/offset.h"
#include "protocol/properties.h"
#include "protocol/pull.h"
#include "protocol/send.h"
#include "tests/support/fake_cluster.h"

using namespace rmq;
using namespace rmq::load;
using namespace std::chrono_literals;
using test::FakeCluster;

namespace {

Window from_now_on() { return {std::chrono::steady_clock::now(), SteadyTime::max()}; }

// What a broker was sent.
struct Sent {
  Mutex mutex;
  std::set<std::string> keys RMQ_GUARDED_BY(mutex);
  std::set<QueueId> queues RMQ_GUARDED_BY(mutex);
};

test::FakeServer::Answer storing(Sent& sent) {
  return [&sent](const protocol::CommandView& request) -> std::optional<net::Response> {
    const auto header = protocol::decode_fields<protocol::SendMessageRequest>(request);
    if (!header) return test::refuse(1, header.error().message());
    MutexLock lock(sent.mutex);
    const auto key = protocol::find_property(header->properties, "UNIQ_KEY");
    sent.keys.insert(std::string(key.value_or("")));
    sent.queues.insert(header->queue_id);
    protocol::SendMessageResponse response;
    response.queue_id = header->queue_id;
    return test::respond(response);
  };
}

LoadResult run_sends(FakeCluster& cluster, SendLoadOptions options, std::uint64_t enough) {
  options.topics = {"T"};
  SendLoad load(cluster.client(), options);
  const auto connected = cluster.run<Result<>>([&] { return load.connect(); });
  REQUIRE(connected);
  load.start(from_now_on());
  while (load.messages() < enough) std::this_thread::yield();
  return cluster.run<LoadResult>([&] { return load.finish(); });
}

}  // namespace

TEST_CASE("send load: every message has a key of its own, and all queues get some") {
  for (const double rate : {0.0, 5'000.0}) {
    CAPTURE(rate);
    Sent sent;
    FakeCluster cluster;
    cluster.add_broker("b", "T", 4, storing(sent));
    SendLoadOptions options;
    options.connections = 3;
    options.in_flight = 4;
    options.rate = rate;
    const LoadResult result = run_sends(cluster, options, 1000);
    CHECK(result.messages >= 1000);
    CHECK(result.requests == result.messages);
    CHECK(result.bytes == result.messages * 128);
    CHECK(result.latency.count() == result.requests);
    CHECK(result.errors.empty());
    MutexLock lock(sent.mutex);
    CHECK(sent.keys.size() == result.messages);
    CHECK(sent.queues.size() == 4);
  }
}

TEST_CASE("send load: what a broker refuses is counted by its reason, and is no message") {
  std::atomic<int> asked{0};
  Sent sent;
  const auto store = storing(sent);
  FakeCluster cluster;
  cluster.add_broker("b", "T", 1, [&](const protocol::CommandView& request) {
    return ++asked % 2 == 0 ? std::optional(test::refuse(2, "too much")) : store(request);
  });
  SendLoadOptions options;
  options.connections = 1;
  const LoadResult result = run_sends(cluster, options, 100);
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors.begin()->first == "SYSTEM_BUSY (2): too much");
  CHECK(result.errors.begin()->second + result.messages == result.requests);
}

TEST_CASE("send load: what a broker that goes away did not answer is counted") {
  Sent sent;
  std::atomic<int> asked{0};
  const auto store = storing(sent);
  FakeCluster cluster;
  test::FakeServer& broker =
      cluster.add_broker("b", "T", 1, [&](const protocol::CommandView& request) {
        return ++asked > 100 ? std::nullopt : store(request);
      });
  SendLoadOptions options;
  options.topics = {"T"};
  options.connections = 2;
  options.in_flight = 4;
  SendLoad load(cluster.client(), options);
  const auto connected = cluster.run<Result<>>([&] { return load.connect(); });
  REQUIRE(connected);
  load.start(from_now_on());
  while (asked < 108) std::this_thread::yield();
  broker.stop();
  const LoadResult result = cluster.run<LoadResult>([&] { return load.finish(); });
  CHECK(result.messages == 100);
  CHECK(result.errors == std::map<std::string, std::uint64_t>{{"not answered", 8}});
}

TEST_CASE("send load: nobody there") {
  Sent sent;
  FakeCluster cluster;
  cluster.add_broker("b", "T", 1, storing(sent)).stop();
  SendLoadOptions options;
  options.topics = {"T"};
  SendLoad load(cluster.client(), options);
  const auto connected = cluster.run<Result<>>([&] { return load.connect(); });
  CHECK_FALSE(connected);
}

TEST_CASE("pull load: once to the end, each queue") {
  Mutex mutex;
  std::map<QueueId, std::set<std::int64_t>> asked;
  FakeCluster cluster;
  cluster.add_broker("b", "T", 3, [&](const protocol::CommandView& request) {
    if (request.code == static_cast<std::int32_t>(protocol::RequestCode::GetMinOffset)) {
      return std::optional(test::respond(protocol::GetMinOffsetResponse{.offset = QueueOffset{5}}));
    }
    if (request.code == static_cast<std::int32_t>(protocol::RequestCode::GetMaxOffset)) {
      return std::optional(
          test::respond(protocol::GetMaxOffsetResponse{.offset = QueueOffset{25}}));
    }
    const auto header = protocol::decode_fields<protocol::PullMessageRequest>(request);
    MutexLock lock(mutex);
    asked[header->queue_id].insert(header->queue_offset.value);
    protocol::PullMessageResponse response;
    response.next_begin_offset = header->queue_offset + 10;
    net::Response answer = test::respond(response);
    // Ten records of four bytes: their length is all that is looked at.
    for (int i = 0; i < 10; ++i) {
      for (const int byte : {0, 0, 0, 4}) answer.body.push_back(static_cast<std::byte>(byte));
    }
    return std::optional(std::move(answer));
  });
  PullLoadOptions options;
  options.topics = {"T"};
  options.connections = 2;
  PullLoad load(cluster.client(), options);
  const auto connected = cluster.run<Result<>>([&] { return load.connect(); });
  REQUIRE(connected);
  load.start(from_now_on());
  const bool read =
      cluster.run<bool>([&] { return load.read_to_end(std::chrono::steady_clock::now() + 10s); });
  CHECK(read);
  const LoadResult result = cluster.run<LoadResult>([&] { return load.finish(); });
  CHECK(result.messages == 60);
  CHECK(result.requests == 6);
  CHECK(result.bytes == 240);
  CHECK(result.errors.empty());
  MutexLock lock(mutex);
  CHECK(asked.size() == 3);
  for (const auto& [queue, offsets] : asked) CHECK(offsets == std::set<std::int64_t>{5, 15});
}

TEST_CASE("process usage: this process, and one that is not there") {
  const auto before = process_usage(0);
  REQUIRE(before);
  CHECK(before->memory_bytes > 100'000);
  std::uint64_t sum = 0;
  for (auto after = *before; after.cpu == before->cpu; after = *process_usage(0)) ++sum;
  CHECK(sum > 0);
  CHECK(process_usage(0x7FFFFFFF).error().code == std::errc::no_such_file_or_directory);
}
