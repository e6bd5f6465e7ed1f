// Push consumers against a whole broker: who gets what, how often, in which order.
#include "client/push_consumer.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <ostream>
#include <set>

#include "client/client_errc.h"
#include "tests/support/local_cluster.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using test::Collector;
using test::from_first;
using test::LocalCluster;
using test::numbers;

TEST_CASE("a consumer gets everything once, and its successor goes on behind it") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 4);
  cluster.send(client, "T", 100);
  std::atomic<bool> on_io_thread{false};
  {
    Collector first(cluster, client, from_first(), [&](const ReceivedMessage&) {
      if (cluster.threads.control().is_current() || cluster.threads.data(0).is_current() ||
          cluster.threads.data(1).is_current()) {
        on_io_thread = true;
      }
      return Consumed::Done;
    });
    first.subscribe("T").start();
    first.wait_for(100);
    CHECK(first.sorted_bodies() == numbers(100));
    const ReceivedMessage message = first.received()[0];
    CHECK(message.queue.topic == "T");
    CHECK(message.queue.broker_name == "a");
    CHECK(message.reconsume_times == 0);
  }
  CHECK_FALSE(on_io_thread);
  cluster.send(client, "T", 50, "", 100);
  Collector second(cluster, cluster.make_client(), from_first());
  second.subscribe("T").start();
  second.wait_for(50);
  CHECK(second.sorted_bodies() == numbers(50, 100));
}

TEST_CASE("members of a group share its queues, and take over from who leaves") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 4);
  Collector first(cluster, cluster.make_client("c1"), from_first());
  first.subscribe("T").start();
  CHECK(first.queues("T").size() == 4);
  {
    Collector second(cluster, cluster.make_client("c2"), from_first());
    second.subscribe("T").start();
    const std::vector<MessageQueue> lower{{"T", "a", 0}, {"T", "a", 1}};
    const std::vector<MessageQueue> upper{{"T", "a", 2}, {"T", "a", 3}};
    // Within what a notification takes, and long before the next regular rebalance.
    LocalCluster::until([&] { return first.queues("T") == lower && second.queues("T") == upper; });
    cluster.send(client, "T", 40);
    LocalCluster::until([&] { return first.count() + second.count() >= 40; });
    CHECK(first.count() == 20);
    CHECK(second.count() == 20);
    for (const auto& message : second.received()) CHECK(message.queue.queue_id >= 2);
  }
  LocalCluster::until([&] { return first.queues("T").size() == 4; });
  cluster.send(client, "T", 40, "", 40);
  first.wait_for(60);
  CHECK(first.count() == 60);
}

TEST_CASE("a client has one consumer of a group") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  Collector first(cluster, client, from_first());
  first.subscribe("T").start();
  Collector second(cluster, client, from_first());
  second.subscribe("T");
  const Result<> started = cluster.run<Result<>>([&] { return second.consumer().start(); });
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().code == ClientErrc::GroupInUse);
}

TEST_CASE("topics come and go while a consumer runs, and its broker knows") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  for (const char* topic : {"T", "U"}) cluster.create_topic(client, topic, 2);
  Collector collector(cluster, client, from_first());
  collector.subscribe("T").start();
  const auto on_home = [&](const std::function<void()>& work) {
    net::run_blocking<void>(cluster.threads.control(), [&]() -> net::Task<> {
      work();
      co_return;
    });
  };
  on_home([&] { collector.subscribe("U"); });
  cluster.send(client, "U", 10);
  collector.wait_for(10);
  on_home([&] { collector.consumer().unsubscribe("T"); });
  LocalCluster::until([&] { return collector.queues("T").empty(); });
  AdminClient admin(client, 5s);
  LocalCluster::until([&] {
    const auto online = cluster.run<Result<protocol::ConsumerConnection>>(
        [&] { return admin.consumers(cluster.broker->address(), "g"); });
    return online && online->subscriptions.contains("U") && !online->subscriptions.contains("T");
  });
}

TEST_CASE("only the tags that were asked for") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 2);
  cluster.send(client, "T", 5, "a", 0);
  cluster.send(client, "T", 5, "b", 5);
  cluster.send(client, "T", 5, "c", 10);
  Collector collector(cluster, client, from_first());
  CHECK_FALSE(collector.consumer().subscribe("T", "||").has_value());
  collector.subscribe("T", "a || c").start();
  collector.wait_for(10);
  std::vector<std::string> expected = numbers(5);
  for (const std::string& text : numbers(5, 10)) expected.push_back(text);
  std::sort(expected.begin(), expected.end());
  CHECK(collector.sorted_bodies() == expected);
}

TEST_CASE("what fails comes again under its own topic, and goes to the dead letters at last") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 1);
  cluster.send(client, "T", 3);
  PushConsumerOptions options = from_first();
  options.consumption.reconsume_times_max = 2;
  Collector collector(cluster, client, options, [](const ReceivedMessage& message) {
    if (as_text(message.body) == "1") throw std::runtime_error("cannot");
    const bool again = as_text(message.body) == "2" && message.reconsume_times == 0;
    return again ? Consumed::Later : Consumed::Done;
  });
  collector.subscribe("T").start();
  // "0" once, "2" twice, "1" three times.
  collector.wait_for(6);
  std::map<std::string, std::vector<int>> times;
  for (const auto& message : collector.received()) {
    CHECK(message.queue.topic == "T");
    times[std::string(as_text(message.body))].push_back(message.reconsume_times);
  }
  CHECK(times["0"] == std::vector<int>{0});
  CHECK(times["1"] == std::vector<int>{0, 1, 2});
  CHECK(times["2"] == std::vector<int>{0, 1});

  PushConsumerOptions dead_options = from_first("graveyard");
  Collector dead(cluster, client, dead_options);
  dead.subscribe("%DLQ%g").start();
  dead.wait_for(1);
  CHECK(dead.sorted_bodies() == numbers(1, 1));
}

TEST_CASE("orderly: one call per queue at a time, in order, and what fails holds up its queue") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 4);
  cluster.send(client, "T", 80);
  PushConsumerOptions options = from_first();
  options.consumption.orderly = true;
  std::mutex mutex;
  std::set<QueueId> busy;
  bool overlap = false;
  std::map<QueueId, int> failed;
  Collector collector(cluster, client, options, [&](const ReceivedMessage& message) {
    const QueueId queue = message.queue.queue_id;
    {
      const std::lock_guard lock(mutex);
      overlap = overlap || !busy.insert(queue).second;
    }
    std::this_thread::yield();
    const std::lock_guard lock(mutex);
    busy.erase(queue);
    // The fifth message of queue 1 fails once.
    const bool fails = queue == 1 && message.offset == QueueOffset{4} && failed[queue]++ == 0;
    return fails ? Consumed::Later : Consumed::Done;
  });
  collector.subscribe("T").start();
  collector.wait_for(81);
  CHECK_FALSE(overlap);
  std::map<QueueId, std::vector<std::int64_t>> seen;
  for (const auto& message : collector.received()) {
    seen[message.queue.queue_id].push_back(message.offset.value);
  }
  for (const auto& [queue, offsets] : seen) {
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < 20; ++i) {
      expected.push_back(i);
      if (queue == 1 && i == 4) expected.push_back(i);
    }
    CHECK(offsets == expected);
  }
}

TEST_CASE("orderly: a queue moves to another member only when its lock does") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 4);
  PushConsumerOptions options = from_first();
  options.consumption.orderly = true;
  Collector first(cluster, cluster.make_client("c1"), options);
  first.subscribe("T").start();
  cluster.send(client, "T", 20);
  first.wait_for(20);
  Collector second(cluster, cluster.make_client("c2"), options);
  second.subscribe("T").start();
  LocalCluster::until([&] { return second.queues("T").size() == 2; });
  first.stop();
  LocalCluster::until([&] { return second.queues("T").size() == 4; });
  cluster.send(client, "T", 20, "", 20);
  second.wait_for(20);
  CHECK(second.sorted_bodies() == numbers(20, 20));
}

TEST_CASE("orderly: what fails too often goes to the dead letters, and its queue goes on") {
  LocalCluster cluster;
  Client& client = cluster.make_client();
  cluster.create_topic(client, "T", 1);
  cluster.send(client, "T", 3);
  PushConsumerOptions options = from_first();
  options.consumption.orderly = true;
  options.consumption.reconsume_times_max = 1;
  Collector collector(cluster, client, options, [](const ReceivedMessage& message) {
    return as_text(message.body) == "1" ? Consumed::Later : Consumed::Done;
  });
  collector.subscribe("T").start();
  collector.wait_for(4);
  CHECK(collector.sorted_bodies() == std::vector<std::string>{"0", "1", "1", "2"});
  Collector dead(cluster, client, from_first("graveyard"));
  dead.subscribe("%DLQ%g").start();
  dead.wait_for(1);
  CHECK(dead.sorted_bodies() == numbers(1, 1));
}
