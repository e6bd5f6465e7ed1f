// Lite pull consumers against a whole broker.
#include "client/lite_pull_consumer.h"

#include <doctest/doctest.h>

#include <map>
#include <ostream>

#include "client/client_errc.h"
#include "tests/support/local_cluster.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using test::LocalCluster;
using test::numbers;

namespace {

struct Lite {
  Lite(LocalCluster& c, Client& client, bool auto_commit = true, const std::string& group = "g")
      : cluster(c), consumer(client, options(group, auto_commit)) {}
  ~Lite() { stop(); }

  static LitePullOptions options(const std::string& group, bool auto_commit) {
    LitePullOptions options;
    options.group.group = group;
    options.group.from = ConsumeFrom::FirstOffset;
    options.auto_commit = auto_commit;
    return options;
  }
  void start() {
    REQUIRE(cluster.run<Result<>>([&] { return consumer.start(); }).has_value());
  }
  void stop() {
    net::run_blocking<void>(cluster.threads.control(), [&] { return consumer.shutdown(); });
  }
  void on_home(const std::function<void()>& work) {
    net::run_blocking<void>(cluster.threads.control(), [&]() -> net::Task<> {
      work();
      co_return;
    });
  }
  MessageBatch poll(std::chrono::milliseconds timeout) {
    return cluster.run<MessageBatch>([&] { return consumer.poll(timeout); });
  }
  // Polls until `count` messages came; their bodies in order.
  std::vector<std::string> take(std::size_t count) {
    std::vector<std::string> bodies;
    LocalCluster::until([&] {
      for (const auto& message : poll(100ms)) bodies.emplace_back(as_text(message->body));
      return bodies.size() >= count;
    });
    return bodies;
  }
  std::vector<std::string> take_sorted(std::size_t count) {
    std::vector<std::string> bodies = take(count);
    std::sort(bodies.begin(), bodies.end());
    return bodies;
  }
  void commit() {
    net::run_blocking<void>(cluster.threads.control(), [&] { return consumer.commit(); });
  }
  Result<> seek(MessageQueue queue, std::int64_t offset) {
    return cluster.run<Result<>>([&] { return consumer.seek(queue, QueueOffset{offset}); });
  }

  LocalCluster& cluster;
  LitePullConsumer consumer;
};

const MessageQueue kQueue0{"T", "a", 0};
const MessageQueue kQueue1{"T", "a", 1};

}  // namespace

TEST_CASE("subscribed: polls give everything once, queue by queue, and a successor goes on") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  cluster.send(client, "T", 40);
  {
    Lite lite(cluster, client);
    REQUIRE(lite.consumer.subscribe("T").has_value());
    lite.start();
    std::map<QueueId, std::int64_t> next;
    std::size_t count = 0;
    LocalCluster::until([&] {
      const MessageBatch batch = lite.poll(100ms);
      CHECK(batch.size() <= 10);
      for (const auto& message : batch) {
        CHECK(message->queue == batch[0]->queue);
        CHECK(message->offset.value == next[message->queue.queue_id]++);
      }
      count += batch.size();
      return count == 40;
    });
    CHECK(lite.poll(1ms).empty());
  }
  cluster.send(client, "T", 10, "", 40);
  Lite again(cluster, client);
  REQUIRE(again.consumer.subscribe("T").has_value());
  again.start();
  CHECK(again.take_sorted(10) == numbers(10, 40));
}

TEST_CASE("subscribed: members share the queues") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 4);
  Lite first(cluster, cluster.make_client("c1"));
  Lite second(cluster, cluster.make_client("c2"));
  for (Lite* lite : {&first, &second}) {
    REQUIRE(lite->consumer.subscribe("T").has_value());
    lite->start();
  }
  const auto count = [](Lite& lite) {
    std::size_t queues = 0;
    lite.on_home([&] { queues = lite.consumer.queues().size(); });
    return queues;
  };
  LocalCluster::until([&] { return count(first) == 2 && count(second) == 2; });
  first.stop();
  LocalCluster::until([&] { return count(second) == 4; });
}

TEST_CASE("without auto-commit only commit() counts") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 1);
  cluster.send(client, "T", 30);
  const auto read = [&](std::size_t count, bool commit) {
    Lite lite(cluster, client, false);
    REQUIRE(lite.consumer.subscribe("T").has_value());
    lite.start();
    const std::vector<std::string> bodies = lite.take(count);
    if (commit) lite.commit();
    return bodies;
  };
  CHECK(read(10, false).front() == "0");
  const std::vector<std::string> committed = read(10, true);
  CHECK(committed.front() == "0");
  CHECK(read(10, false).front() == std::to_string(committed.size()));
}

TEST_CASE("assigned: exactly these queues, from where it seeks") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  cluster.send(client, "T", 20);  // ten each
  Lite lite(cluster, client);
  const auto all = cluster.run<Result<std::vector<MessageQueue>>>(
      [&] { return lite.consumer.fetch_queues("T"); });
  CHECK(all == std::vector<MessageQueue>{kQueue0, kQueue1});
  lite.on_home([&] { lite.consumer.assign({kQueue1}); });
  // The end of a queue becomes visible a moment after its messages are stored.
  LocalCluster::until([&] { return lite.seek(kQueue1, 10).has_value(); });
  REQUIRE(lite.seek(kQueue1, 7).has_value());
  lite.start();
  MessageBatch batch = lite.poll(10s);
  REQUIRE_FALSE(batch.empty());
  CHECK(batch[0]->queue == kQueue1);
  CHECK(batch[0]->offset == QueueOffset{7});

  // Back, while it runs; what had been read ahead is not seen.
  REQUIRE(lite.seek(kQueue1, 2).has_value());
  batch = lite.poll(10s);
  REQUIRE_FALSE(batch.empty());
  CHECK(batch[0]->offset == QueueOffset{2});
  REQUIRE(cluster.run<Result<>>([&] { return lite.consumer.seek_to_end(kQueue1); }).has_value());
  CHECK(lite.poll(50ms).empty());
  REQUIRE(cluster.run<Result<>>([&] { return lite.consumer.seek_to_begin(kQueue1); }).has_value());
  CHECK(lite.poll(10s).at(0)->offset == QueueOffset{0});

  CHECK(lite.seek(kQueue1, 11).error().code == ClientErrc::OffsetOutOfRange);
  CHECK(lite.seek(kQueue0, 1).error().code == ClientErrc::QueueUnknown);
}

TEST_CASE("a paused queue gives nothing until it is resumed") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  Lite lite(cluster, client);
  lite.on_home([&] {
    lite.consumer.assign({kQueue0, kQueue1});
    lite.consumer.pause({kQueue0});
  });
  lite.start();
  cluster.send(client, "T", 20);
  for (std::size_t count = 0; count < 10;) {
    for (const auto& message : lite.poll(10s)) {
      CHECK(message->queue == kQueue1);
      ++count;
    }
  }
  CHECK(lite.poll(50ms).empty());
  lite.on_home([&] { lite.consumer.resume({kQueue0}); });
  const MessageBatch batch = lite.poll(10s);
  REQUIRE_FALSE(batch.empty());
  CHECK(batch[0]->queue == kQueue0);
}

TEST_CASE("what was polled is committed, and can be asked for") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 1);
  cluster.send(client, "T", 5);
  Lite lite(cluster, client);
  REQUIRE(lite.consumer.subscribe("T").has_value());
  lite.start();
  CHECK(lite.take(5).size() == 5);
  lite.commit();
  const auto committed = cluster.run<Result<std::optional<QueueOffset>>>(
      [&] { return lite.consumer.committed(kQueue0); });
  REQUIRE(committed.has_value());
  CHECK(*committed == QueueOffset{5});
}
