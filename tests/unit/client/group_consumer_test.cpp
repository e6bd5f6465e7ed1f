// What a consumer asks of its broker: where it begins, how much it takes, what it commits.
#include "client/group_consumer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <ostream>
#include <thread>
#include <utility>

#include "base/json.h"
#include "client/push_consumer.h"
#include "protocol/client.h"
#include "protocol/offset_body.h"
#include "tests/support/fake_cluster.h"
#include "tests/support/fake_group.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using test::FakeCluster;
using test::FakeGroupBroker;
using test::FakeServer;

namespace {

// One broker "a" with one queue of "T", and a consumer of it.
struct Setup {
  explicit Setup(PushConsumerOptions given = {}, Listener listener = {}) : options(given) {
    options.group.group = "g";
    server = &cluster.add_broker("a", "T", 1, broker.answer());
    broker.members = {cluster.client().client_id()};
    if (!listener) {
      listener = [this](const MessageBatch& batch, ConsumeContext&) {
        consumed += batch.size();
        return Consumed::Done;
      };
    }
    consumer = std::make_unique<PushConsumer>(cluster.client(), options, std::move(listener));
    REQUIRE(consumer->subscribe("T").has_value());
  }
  ~Setup() { stop(); }
  void start() {
    REQUIRE(cluster.run<Result<>>([&] { return consumer->start(); }).has_value());
  }
  void stop() {
    if (!consumer) return;
    net::run_blocking<void>(cluster.threads.control(), [&] { return consumer->shutdown(); });
    consumer->join();
    consumer.reset();
  }
  protocol::GetConsumerRunningInfoRequest itself() {
    protocol::GetConsumerRunningInfoRequest request;
    request.consumer_group = "g";
    request.client_id = cluster.client().client_id();
    return request;
  }
  // What the consumer answers to a request of its broker.
  template <class Header>
  protocol::Command ask(RequestCode code, const Header& header, Bytes body = {}) {
    const protocol::Command request = protocol::make_request(code, header, std::move(body));
    const auto connection = server->last_connection();
    const auto answer =
        cluster.run<Result<protocol::Command>>([&] { return connection->call(request, 10s); });
    REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message()));
    return *answer;
  }
  // Until the consumer says that it has done queue 0 up to `offset`: a listener has been called
  // before that.
  void until_held(std::int64_t offset) {
    protocol::GetConsumerStatusFromClientRequest status;
    status.topic = "T";
    status.group = "g";
    until([&] {
      const auto answer = ask(RequestCode::GetConsumerStatusFromClient, status);
      const auto held = protocol::decode_client_status(as_text(answer.body));
      REQUIRE(held.has_value());
      const auto queue = held->find({"T", "a", 0});
      return queue != held->end() && queue->second == QueueOffset{offset};
    });
  }
  // The test's time limit is the only other end.
  static void until(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::yield();
  }

  PushConsumerOptions options;
  FakeGroupBroker broker;
  FakeCluster cluster;
  FakeServer* server = nullptr;
  std::atomic<std::size_t> consumed{0};
  std::unique_ptr<PushConsumer> consumer;
};

// The offset of the first pull of queue "T".
std::int64_t first_pull(ConsumeFrom from, std::optional<std::int64_t> committed) {
  PushConsumerOptions options;
  options.group.from = from;
  Setup setup(options);
  setup.broker.end = 100;
  setup.broker.at_time = 70;
  setup.broker.committed = committed;
  setup.start();
  Setup::until([&] { return !setup.broker.pulls().empty(); });
  return setup.broker.pulls()[0];
}

}  // namespace

TEST_CASE("a group without an offset begins where it was told to, any other where it was") {
  CHECK(first_pull(ConsumeFrom::LastOffset, {}) == 100);
  CHECK(first_pull(ConsumeFrom::FirstOffset, {}) == 0);
  CHECK(first_pull(ConsumeFrom::Timestamp, {}) == 70);
  CHECK(first_pull(ConsumeFrom::LastOffset, 30) == 30);
  CHECK(first_pull(ConsumeFrom::FirstOffset, 30) == 30);
  CHECK(first_pull(ConsumeFrom::Timestamp, 30) == 30);
}

TEST_CASE("an offset that the queue no longer has: on at the nearest that it has") {
  Setup setup;
  setup.broker.begin = 50;
  setup.broker.end = 60;
  setup.broker.committed = 10;
  setup.start();
  Setup::until([&] { return setup.consumed == 10; });
  CHECK(setup.broker.pulls()[0] == 10);
  CHECK(setup.broker.commits()[0] == 50);
  setup.stop();
  CHECK(setup.broker.committed == 60);
}

TEST_CASE("offsets are committed now and then, and at the end") {
  PushConsumerOptions options;
  options.group.commit_interval = 10ms;
  options.group.from = ConsumeFrom::FirstOffset;
  Setup setup(options);
  setup.broker.end = 40;
  setup.start();
  const auto last = [&] {
    const std::vector<std::int64_t> commits = setup.broker.commits();
    return commits.empty() ? -1 : commits.back();
  };
  Setup::until([&] { return last() == 40; });
  // By then the consumer has heard that the commit was taken.
  for (int i = 0; i < 2; ++i) setup.ask(RequestCode::GetConsumerRunningInfo, setup.itself());
  setup.stop();
  // What was said once is not said again, neither now and then nor at the end.
  const std::vector<std::int64_t> commits = setup.broker.commits();
  CHECK(std::adjacent_find(commits.begin(), commits.end(), std::greater_equal<>()) ==
        commits.end());
  CHECK(setup.server->count(RequestCode::UnregisterClient) == 1);
}

TEST_CASE("a slow listener holds up pulls: what is in memory is bounded") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  options.group.queue_messages_max = 64;
  SUBCASE("by count") {}
  SUBCASE("by bytes of the queue") {
    options.group.queue_messages_max = 10'000;
    options.group.queue_bytes_max = 64 * 1024;
  }
  SUBCASE("by bytes of all queues") {
    options.group.queue_messages_max = 10'000;
    options.group.bytes_max = 64 * 1024;
  }
  SUBCASE("by the distance from the oldest") {
    options.group.queue_messages_max = 10'000;
    options.group.queue_span_max = 60;
  }
  std::promise<void> go_on;
  const std::shared_future<void> going_on = go_on.get_future().share();
  std::atomic<std::size_t> consumed{0};
  Setup setup(options, [&, going_on](const MessageBatch& batch, ConsumeContext&) {
    going_on.wait();
    consumed += batch.size();
    return Consumed::Done;
  });
  setup.broker.end = 2'000;
  setup.start();
  Setup::until([&] { return setup.broker.pulls().size() == 2; });
  // A pull that nothing held up would have come before these answers.
  for (int i = 0; i < 3; ++i) setup.ask(RequestCode::GetConsumerRunningInfo, setup.itself());
  CHECK(setup.broker.pulls().size() == 2);
  go_on.set_value();
  Setup::until([&] { return consumed == 2'000; });
}

TEST_CASE("shutdown waits for a listener no longer than it was told, and commits nothing of it") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  options.patience = 20ms;
  options.consumption.threads = 1;
  std::promise<void> go_on;
  const std::shared_future<void> going_on = go_on.get_future().share();
  std::promise<void> begun;
  std::promise<void> ended;
  {
    Setup setup(options, [&, going_on](const MessageBatch& batch, ConsumeContext&) {
      if (batch[0]->offset != QueueOffset{2}) return Consumed::Done;
      begun.set_value();
      going_on.wait();
      ended.set_value();
      return Consumed::Done;
    });
    setup.broker.end = 10;
    setup.start();
    begun.get_future().wait();
    setup.stop();
    CHECK(setup.broker.committed == 2);
    go_on.set_value();
    // It may still touch what is its own.
    ended.get_future().wait();
  }
}

TEST_CASE("what cannot be sent back is kept, and its offset is not committed") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  options.consumption.again_here = 50ms;
  Setup setup(options, [](const MessageBatch& batch, ConsumeContext& context) {
    context.delay_level = 3;
    return batch[0]->offset == QueueOffset{1} ? Consumed::Later : Consumed::Done;
  });
  setup.broker.end = 3;
  setup.broker.refuses_send_back = true;
  setup.start();
  Setup::until([&] { return setup.server->count(RequestCode::ConsumerSendMsgBack) >= 1; });
  SUBCASE("shut down before it could be sent back") {
    setup.stop();
    CHECK(setup.broker.committed == 1);
  }
  SUBCASE("consumed again, sent back") {
    setup.broker.refuses_send_back = false;
    const int before = setup.server->count(RequestCode::ConsumerSendMsgBack);
    Setup::until([&] { return setup.server->count(RequestCode::ConsumerSendMsgBack) > before; });
    setup.stop();
    CHECK(setup.broker.committed == 3);
  }
}

TEST_CASE("a broker that does not answer pulls at all is asked again, on another connection") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  options.group.hold = 1ms;
  options.group.answer_timeout = 20ms;
  Setup setup(options);
  setup.start();
  Setup::until([&] { return setup.broker.pulls().size() == 1; });
  const auto first = setup.server->last_connection();
  Setup::until([&] { return setup.broker.pulls().size() >= 3; });
  CHECK(first->closed());
  setup.broker.set_end(5);
  Setup::until([&] { return setup.consumed == 5; });
}

TEST_CASE("orderly: a queue whose lock is lost is left alone until it is locked again") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  options.group.lock_interval = 1ms;
  options.consumption.orderly = true;
  FakeGroupBroker* broker = nullptr;
  std::atomic<std::size_t> consumed{0};
  const auto locks = [&](FakeServer& server) { return server.count(RequestCode::LockBatchMq); };
  FakeServer* server = nullptr;
  Setup setup(options, [&](const MessageBatch&, ConsumeContext&) {
    if (++consumed == 5) {
      broker->refuses_locks = true;
      // The answer to the second renewal from now on is one of those that refuse.
      const int before = locks(*server);
      Setup::until([&] { return locks(*server) >= before + 3; });
    }
    return Consumed::Done;
  });
  broker = &setup.broker;
  server = setup.server;
  setup.broker.end = 20;
  setup.start();
  Setup::until([&] { return consumed == 5; });
  const int before = locks(*server);
  Setup::until([&] { return locks(*server) >= before + 20; });
  CHECK(consumed == 5);
  setup.broker.refuses_locks = false;
  Setup::until([&] { return consumed == 20; });
  setup.stop();
  CHECK(setup.broker.committed == 20);
  CHECK(setup.server->count(RequestCode::UnlockBatchMq) == 1);
}

TEST_CASE("a member that is not in the list of its group has no queue, until it is") {
  Setup setup;
  setup.broker.members = {"other@1"};
  setup.start();
  CHECK(setup.broker.pulls().empty());
  // It told the broker of itself once more.
  CHECK(setup.server->count(RequestCode::HeartBeat) >= 2);
}

TEST_CASE("a broker asks a consumer how it is") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  Setup setup(options);
  setup.broker.end = 10;
  setup.start();
  setup.until_held(10);
  protocol::GetConsumerRunningInfoRequest running = setup.itself();
  const auto answer = setup.ask(RequestCode::GetConsumerRunningInfo, running);
  REQUIRE(answer.code == 0);
  const auto info = json::parse(as_text(answer.body));
  REQUIRE(info.has_value());
  REQUIRE(info->find("mqTable")->members().size() == 1);
  const json::Member& queue = info->find("mqTable")->members()[0];
  CHECK(queue.key_object().text_or("topic", "") == "T");
  CHECK(queue.value.int_or("commitOffset", -1) == 10);
  CHECK(queue.value.int_or("cachedMsgCount", -1) == 0);
  CHECK(info->find("subscriptionSet")->items().size() == 2);  // "T" and the retry topic
  CHECK(info->find("properties")->text_or("PROP_CONSUME_TYPE", "") == "CONSUME_PASSIVELY");
  CHECK(info->find("properties")->text_or("PROP_THREADPOOL_CORE_SIZE", "") == "4");

  running.consumer_group = "unknown";
  CHECK(setup.ask(RequestCode::GetConsumerRunningInfo, running).code == 1);
  CHECK(setup.ask(RequestCode::PushReplyMessageToClient, running).code == 3);
}

TEST_CASE("a broker gives a consumer one message, and hears what became of it") {
  Setup setup({}, [](const MessageBatch& batch, ConsumeContext&) {
    const std::string body(as_text(batch[0]->body));
    if (body == "throw") throw std::runtime_error("cannot");
    return body == "later" ? Consumed::Later : Consumed::Done;
  });
  setup.start();
  const auto result = [&](std::string_view text) {
    protocol::MessageRecord record;
    record.topic = "T";
    record.body = as_bytes(text);
    Bytes body;
    protocol::encode_record(record, body);
    protocol::ConsumeMessageDirectlyRequest header;
    header.consumer_group = "g";
    const auto answer = setup.ask(RequestCode::ConsumeMessageDirectly, header, std::move(body));
    const auto object = json::parse(as_text(answer.body));
    REQUIRE(object.has_value());
    return object->text_or("consumeResult", "") + " " + object->text_or("remark", "");
  };
  CHECK(result("done") == "CR_SUCCESS ");
  CHECK(result("later") == "CR_LATER ");
  CHECK(result("throw") == "CR_THROW_EXCEPTION cannot");
}

TEST_CASE("a broker resets a consumer's offsets, and asks for them") {
  PushConsumerOptions options;
  options.group.from = ConsumeFrom::FirstOffset;
  Setup setup(options);
  setup.broker.end = 10;
  setup.start();
  Setup::until([&] { return setup.consumed == 10; });
  protocol::ResetConsumerClientOffsetRequest header;
  header.topic = "T";
  header.group = "g";
  const std::string offsets = protocol::encode_reset_offset({{{"T", "a", 0}, QueueOffset{4}}});
  Bytes body(as_bytes(offsets).begin(), as_bytes(offsets).end());
  CHECK(setup.ask(RequestCode::ResetConsumerClientOffset, header, std::move(body)).code == 0);
  Setup::until([&] { return setup.consumed == 16; });
  CHECK(setup.broker.commits()[0] == 4);
  setup.until_held(10);
}
