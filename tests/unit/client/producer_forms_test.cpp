// The other ways to send: to chosen queues, in batches, one way, with a callback, delayed.
#include <doctest/doctest.h>

#include <future>
#include <map>
#include <ostream>

#include "client/client_errc.h"
#include "client/producer.h"
#include "protocol/message_batch.h"
#include "protocol/properties.h"
#include "tests/support/fake_cluster.h"
#include "tests/support/storing_broker.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using test::FakeCluster;
using test::FakeServer;
using test::StoringBroker;

namespace {

Message a_message(std::string_view body = "x") {
  Message message;
  message.topic = "T";
  message.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  return message;
}

// One broker "a" with four queues of "T".
struct Setup {
  StoringBroker broker;
  FakeCluster cluster;
  FakeServer& server = cluster.add_broker("a", "T", 4, broker.answer());
  Producer producer{cluster.client(), {}};

  Result<SendResult> send_by(QueueChooser choose) {
    return cluster.run<Result<SendResult>>(
        [&] { return producer.send_by(a_message(), choose, 10s); });
  }
  Result<SendResult> send_batch(std::vector<Message> messages) {
    return cluster.run<Result<SendResult>>([&] { return producer.send_batch(messages, 10s); });
  }
};

}  // namespace

TEST_CASE("a key's hash picks the queue that Java picks, and keys spread over all queues") {
  Setup setup;
  // String.hashCode: "" is 0, "a" is 97, "order-1" is -1207111310, "key" is 106079,
  // "polygenelubricants" is Integer.MIN_VALUE.
  const std::map<std::string, QueueId> known{
      {"", 0}, {"a", 1}, {"order-1", 2}, {"key", 3}, {"polygenelubricants", 0}};
  for (const auto& row : known) {
    const std::string key = row.first;
    const QueueId queue = row.second;
    CAPTURE(key);
    for (int i = 0; i < 3; ++i) {
      const auto sent = setup.send_by(by_key_hash(key));
      REQUIRE(sent.has_value());
      CHECK(sent->queue.queue_id == queue);
    }
  }
  const std::vector<MessageQueue> three{{"T", "a", 0}, {"T", "a", 1}, {"T", "b", 0}};
  CHECK(by_key_hash("polygenelubricants")(three) == 2);  // |-2147483648 % 3|

  const std::vector<MessageQueue> four{{"T", "a", 0}, {"T", "a", 1}, {"T", "a", 2}, {"T", "a", 3}};
  std::map<std::size_t, int> spread;
  for (int i = 0; i < 1000; ++i) ++spread[by_key_hash("order-" + std::to_string(i))(four)];
  CHECK(spread.size() == 4);
  for (const auto& [index, count] : spread) CHECK(count > 200);
}

TEST_CASE("an application's own choice sees the writable queues, and is checked") {
  Setup setup;
  std::size_t seen = 0;
  for (std::size_t want = 0; want < 4; ++want) {
    const auto sent = setup.send_by([&](std::span<const MessageQueue> queues) {
      seen = queues.size();
      return want;
    });
    REQUIRE(sent.has_value());
    CHECK(sent->queue.queue_id == static_cast<QueueId>(want));
  }
  CHECK(seen == 4);
  CHECK(setup.broker.sends_by_queue() ==
        std::map<std::int32_t, int>{{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  const auto none = setup.send_by([](std::span<const MessageQueue>) { return std::size_t{4}; });
  CHECK(none.error().code == ClientErrc::QueueUnknown);
}

TEST_CASE("a batch is one request with every message in it") {
  Setup setup;
  std::vector<Message> messages{a_message("one"), a_message("two"), a_message("three")};
  messages[1].tag = "TagB";
  messages[2].flag = 7;
  const auto sent = setup.send_batch(messages);
  REQUIRE(sent.has_value());
  CHECK(sent->message_id.size() == 3 * 32 + 2);
  REQUIRE(setup.broker.sends() == 1);
  const protocol::Command request = setup.broker.requests()[0];
  CHECK(request.code == static_cast<std::int32_t>(RequestCode::SendBatchMessage));
  CHECK(request.view().find("m") == "true");
  CHECK(request.view().find("b") == "T");

  protocol::BatchReader reader(request.body);
  std::vector<std::string> bodies;
  std::vector<std::string> ids;
  std::int32_t last_flag = 0;
  for (auto entry = reader.next(); entry && *entry; entry = reader.next()) {
    bodies.emplace_back(as_text((*entry)->body));
    ids.emplace_back(protocol::find_property((*entry)->properties, "UNIQ_KEY").value_or(""));
    last_flag = (*entry)->flag;
    if (bodies.size() == 2) CHECK(protocol::find_property((*entry)->properties, "TAGS") == "TagB");
  }
  CHECK(bodies == std::vector<std::string>{"one", "two", "three"});
  CHECK(sent->message_id == ids[0] + "," + ids[1] + "," + ids[2]);
  CHECK(last_flag == 7);
}

TEST_CASE("batches that Java refuses are refused before anything is sent") {
  Setup setup;
  const auto refused = [&](std::vector<Message> messages) {
    const auto sent = setup.send_batch(std::move(messages));
    return !sent && sent.error().code == ClientErrc::MessageInvalid;
  };
  CHECK(refused({}));
  std::vector<Message> two{a_message(), a_message()};
  const auto with = [&](auto change) {
    std::vector<Message> changed = two;
    change(changed[1]);
    return changed;
  };
  CHECK(refused(with([](Message& m) { m.topic = "U"; })));
  CHECK(refused(with([](Message& m) { m.delay_level = 1; })));
  CHECK(refused(with([](Message& m) { m.deliver_at_ms = 1; })));
  CHECK(refused(with([](Message& m) { m.wait_store_ok = false; })));
  two[0].topic = two[1].topic = "%RETRY%g";
  CHECK(refused(two));
  CHECK(refused({a_message(std::string(5'000'000, 'x'))}));
  CHECK(setup.broker.sends() == 0);
}

TEST_CASE("one way: written, not answered") {
  Setup setup;
  for (int i = 0; i < 8; ++i) {
    const Result<> sent =
        setup.cluster.run<Result<>>([&] { return setup.producer.send_oneway(a_message(), 10s); });
    REQUIRE(sent.has_value());
  }
  while (setup.broker.sends() < 8) std::this_thread::yield();
  for (const protocol::Command& request : setup.broker.requests()) {
    CHECK(request.view().is_oneway());
  }
  CHECK(setup.broker.sends_by_queue() ==
        std::map<std::int32_t, int>{{0, 2}, {1, 2}, {2, 2}, {3, 2}});
}

TEST_CASE("callbacks come once each, and a limit holds for what is under way") {
  Setup setup;
  ProducerOptions options;
  options.async_in_flight_max = 2;
  Producer producer(setup.cluster.client(), options);
  setup.broker.hang(true);
  std::vector<std::promise<Result<SendResult>>> results(3);
  for (auto& result : results) {
    producer.send_async(a_message(), 300ms,
                        [&](Result<SendResult> sent) { result.set_value(std::move(sent)); });
  }
  CHECK(results[2].get_future().get().error().code == ClientErrc::TooManyInFlight);
  CHECK(results[0].get_future().get().error().code == net::NetErrc::TimedOut);
  CHECK(results[1].get_future().get().error().code == net::NetErrc::TimedOut);

  setup.broker.hang(false);
  std::promise<Result<SendResult>> stored;
  producer.send_async(a_message(), 10s,
                      [&](Result<SendResult> sent) { stored.set_value(std::move(sent)); });
  std::function<net::Task<>()> shutdown = [&] { return producer.shutdown(); };
  net::run_blocking<void>(setup.cluster.threads.control(), shutdown);
  // Shutdown waited for it.
  CHECK(stored.get_future().wait_for(0s) == std::future_status::ready);
  std::promise<Result<SendResult>> late;
  producer.send_async(a_message(), 10s,
                      [&](Result<SendResult> sent) { late.set_value(std::move(sent)); });
  CHECK(late.get_future().get().error().code == ClientErrc::ShutDown);
}

TEST_CASE("delays are properties") {
  Message message = a_message();
  const auto delay = [&](std::string_view name) {
    const auto properties = encode_message_properties(message, "");
    REQUIRE(properties.has_value());
    return std::string(protocol::find_property(*properties, name).value_or("none"));
  };
  CHECK(delay("DELAY") == "none");
  message.delay_level = 3;
  CHECK(delay("DELAY") == "3");
  message.delay_level = 0;
  message.delay_ms = 1500;
  CHECK(delay("TIMER_DELAY_MS") == "1500");
  CHECK(delay("DELAY") == "none");
  message.deliver_at_ms = 1'700'000'000'000;
  CHECK(encode_message_properties(message, "").error().code == ClientErrc::MessageInvalid);
  message.delay_ms = 0;
  CHECK(delay("TIMER_DELIVER_MS") == "1700000000000");
}
