// include/rmq/client.h against a whole broker.
#include <doctest/doctest.h>
#include <rmq/client.h>

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <ostream>
#include <set>

#include "tests/support/local_cluster.h"

using namespace std::chrono_literals;
using namespace rmq::api;
using rmq::test::LocalCluster;

namespace {

Client connect(const std::string& name_servers) {
  ClientOptions options;
  options.name_servers = name_servers;
  auto client = Client::create(options);
  REQUIRE(client.ok());
  return *client;
}

// A broker with four queues of "T", and a client.
struct Setup {
  Setup() { cluster.create_topic(cluster.make_client(), "T", 4); }

  LocalCluster cluster;
  Client client = connect(cluster.namesrv());
};

ConsumerOptions from_first(const std::string& group = "g") {
  ConsumerOptions options;
  options.group = group;
  options.from = From::First;
  return options;
}

Message message(const std::string& body) {
  Message message;
  message.topic = "T";
  message.body = body;
  return message;
}

}  // namespace

TEST_CASE("facade: every way to send arrives, and the queues are those asked for") {
  Setup setup;
  std::map<std::string, Received> received;
  std::mutex mutex;
  PushConsumer consumer(setup.client, from_first(), [&](const std::vector<Received>& batch) {
    const std::lock_guard lock(mutex);
    for (const Received& one : batch) received[one.body] = one;
    return Consumed::Done;
  });
  REQUIRE(consumer.subscribe("T").ok());
  REQUIRE(consumer.start().ok());
  const std::vector<Queue> taken = consumer.queues();
  CHECK(std::count_if(taken.begin(), taken.end(),
                      [](const Queue& queue) { return queue.topic == "T"; }) == 4);

  Producer producer(setup.client);
  Message full = message("full");
  full.tag = "tag";
  full.keys = {"k1", "k2"};
  full.properties = {{"color", "blue"}};
  const auto sent = producer.send(full);
  REQUIRE(sent.ok());
  CHECK(sent->status == "SEND_OK");
  CHECK(producer.send_to(message("to"), {"T", "a", 2})->queue == Queue{"T", "a", 2});
  CHECK(producer.send_by_key(message("key"), "key")->queue.id == 3);
  const auto last = [](const std::vector<Queue>& queues) { return queues.size() - 1; };
  CHECK(producer.send_by(message("by"), last)->queue.id == 3);
  REQUIRE(producer.send_batch({message("b1"), message("b2")}).ok());
  REQUIRE(producer.send_oneway(message("oneway")).ok());
  std::promise<Outcome<Receipt>> answered;
  producer.send_async(message("async"), [&](Outcome<Receipt> outcome) {
    // A callback may use the producer.
    CHECK(producer.send(message("from callback")).ok());
    answered.set_value(std::move(outcome));
  });
  CHECK(answered.get_future().get().ok());

  LocalCluster::until([&] {
    const std::lock_guard lock(mutex);
    return received.size() == 9;
  });
  consumer.shutdown();
  const Received& one = received.at("full");
  CHECK(one.message_id == sent->message_id);
  CHECK(one.queue == sent->queue);
  CHECK(one.offset == sent->offset);
  CHECK(one.tag == "tag");
  CHECK(one.keys == std::vector<std::string>{"k1", "k2"});
  CHECK(one.reconsume_times == 0);
  CHECK(one.stored_ms >= one.born_ms);
  std::map<std::string, std::string> properties(one.properties.begin(), one.properties.end());
  CHECK(properties["color"] == "blue");
}

TEST_CASE("facade: failures say what and why") {
  Setup setup;
  ClientOptions malformed;
  malformed.name_servers = "host:port";
  CHECK(Client::create(malformed).failure().category == "NetErrc");

  Producer producer(setup.client);
  Message empty = message("");
  CHECK(producer.send(empty).failure().category == "ClientErrc");
  const auto unknown = producer.send_to(message("x"), {"T", "nowhere", 0});
  CHECK(unknown.failure().reason.find("nowhere") != std::string::npos);
  Message delayed = message("x");
  delayed.delay_level = 1;
  CHECK_FALSE(producer.send_batch({delayed}).ok());

  Producer lost(connect("127.0.0.1:1"));
  const auto begin = std::chrono::steady_clock::now();
  const auto failed = lost.send(message("x"), 500ms);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  CHECK(failed.failure().category == "NetErrc");
  CHECK(failed.failure().reason.find("127.0.0.1:1") != std::string::npos);

  PushConsumer first(setup.client, from_first(), [](const auto&) { return Consumed::Done; });
  PushConsumer second(setup.client, from_first(), [](const auto&) { return Consumed::Done; });
  REQUIRE(first.start().ok());
  CHECK(second.start().failure().category == "ClientErrc");
  CHECK_FALSE(second.subscribe("T", "||").ok());
}

TEST_CASE("facade: a producer's shutdown waits for its callbacks") {
  Setup setup;
  std::mutex mutex;
  int called = 0;
  {
    Producer producer(setup.client);
    for (int i = 0; i < 50; ++i) {
      producer.send_async(message(std::to_string(i)), [&](const Outcome<Receipt>& outcome) {
        const std::lock_guard lock(mutex);
        called += outcome.ok() ? 1 : 0;
      });
    }
  }
  CHECK(called == 50);
}

TEST_CASE("facade: pull consumer") {
  Setup setup;
  Producer producer(setup.client);
  for (int i = 0; i < 8; ++i) {
    REQUIRE(producer.send_to(message(std::to_string(i)), {"T", "a", 1}).ok());
  }
  ConsumerOptions options = from_first();
  options.batch_max = 1;
  options.auto_commit = false;
  const auto bodies = [](PullConsumer& consumer, std::size_t count) {
    std::vector<std::string> got;
    LocalCluster::until([&] {
      for (const Received& one : consumer.poll(100ms)) got.push_back(one.body);
      return got.size() >= count;
    });
    return got;
  };
  {
    PullConsumer consumer(setup.client, options);
    REQUIRE(consumer.subscribe("T").ok());
    REQUIRE(consumer.start().ok());
    CHECK(bodies(consumer, 3) == std::vector<std::string>{"0", "1", "2"});
    CHECK(consumer.committed({"T", "a", 1})->value_or(-1) <= 0);
    consumer.commit();
    CHECK(*consumer.committed({"T", "a", 1}) == 3);
    CHECK(*consumer.offset_at({"T", "a", 1}, 0) == 0);
    CHECK(bodies(consumer, 3) == std::vector<std::string>{"3", "4", "5"});
  }
  {
    PullConsumer consumer(setup.client, options);
    REQUIRE(consumer.subscribe("T").ok());
    REQUIRE(consumer.start().ok());
    CHECK(bodies(consumer, 3) == std::vector<std::string>{"3", "4", "5"});
  }
  PullConsumer assigned(setup.client, options);
  CHECK(assigned.fetch_queues("T")->size() == 4);
  const Queue queue{"T", "a", 1};
  assigned.assign({queue});
  // The end of a queue becomes visible a moment after its messages are stored.
  LocalCluster::until([&] { return assigned.seek(queue, 8).ok(); });
  REQUIRE(assigned.seek(queue, 6).ok());
  REQUIRE(assigned.start().ok());
  CHECK(bodies(assigned, 2) == std::vector<std::string>{"6", "7"});
  REQUIRE(assigned.seek_to_begin(queue).ok());
  CHECK(bodies(assigned, 3) == std::vector<std::string>{"0", "1", "2"});
  REQUIRE(assigned.seek_to_end(queue).ok());
  CHECK(assigned.poll(50ms).empty());
  assigned.pause({queue});
  REQUIRE(producer.send_to(message("late"), queue).ok());
  CHECK(assigned.poll(50ms).empty());
  assigned.resume({queue});
  CHECK(bodies(assigned, 1) == std::vector<std::string>{"late"});
}
