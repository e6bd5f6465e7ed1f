// LocalCluster: a whole name server and a broker of one process on free ports, data in a temporary
// directory, and clients of them on io threads of their own.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/admin_client.h"
#include "client/client.h"
#include "client/producer.h"
#include "client/push_consumer.h"
#include "net/await.h"
#include "roles/broker/broker.h"
#include "roles/namesrv/name_server.h"
#include "tests/support/temp_directory.h"

namespace rmq::test {

using namespace std::chrono_literals;

// A test's own limit: nothing here takes so long.
inline constexpr auto kTooLong = 60s;

class LocalCluster {
 public:
  static constexpr const char* kCluster = "DefaultCluster";

  LocalCluster() {
    server_threads_.start();
    threads.start();
    roles::namesrv::NamesrvConfig namesrv;
    namesrv.listen_address = "127.0.0.1";
    namesrv.listen_port = 0;
    namesrv.kv_config_path = directory_.path() + "/kvConfig.json";
    name_server_ = std::make_unique<roles::namesrv::NameServer>(
        server_threads_, namesrv, Clock::system(), FileSystem::posix());
    REQUIRE(name_server_->start().has_value());
    start_broker();
  }
  ~LocalCluster() {
    clients_.clear();
    threads.stop();
    stop_broker();
    name_server_->stop();
    server_threads_.stop();
  }

  void start_broker(std::uint16_t port = 0) {
    roles::broker::BrokerConfig config;
    config.broker_name = "a";
    config.listen_address = "127.0.0.1";
    config.broker_ip1 = "127.0.0.1";
    config.listen_port = port;
    config.namesrv_addr = namesrv();
    config.store.root_directory = directory_.path() + "/store";
    config.store.commit_log_segment_bytes = 16 * 1024 * 1024;
    // Short, so that retries fit into a test.
    config.store.message_delay_level = "1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s";
    broker_threads_ = std::make_unique<net::IoThreads>(2);
    broker_threads_->start();
    broker = std::make_unique<roles::broker::Broker>(*broker_threads_, std::move(config),
                                                     FileSystem::posix(), Clock::system());
    const Result<> started = broker->start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
  }
  void stop_broker() {
    if (!broker) return;
    broker->stop();
    broker_threads_->stop();
    broker.reset();
    broker_threads_.reset();
  }
  // On the same port, with its data.
  void restart_broker() {
    const std::uint16_t port = broker->port();
    stop_broker();
    start_broker(port);
  }

  std::string namesrv() const { return "127.0.0.1:" + std::to_string(name_server_->port()); }

  client::Client& make_client(std::string client_id = "") {
    client::ClientOptions options;
    options.name_servers = {namesrv()};
    options.client_id = std::move(client_id);
    clients_.push_back(std::make_unique<client::Client>(threads, options));
    return *clients_.back();
  }

  template <class T>
  T run(std::function<net::Task<T>()> start) {
    return net::run_blocking<T>(threads.control(), std::move(start));
  }

  void create_topic(client::Client& client, const std::string& topic, std::int32_t queues) {
    client::AdminClient admin(client, 5s);
    protocol::TopicConfig config;
    config.topic = topic;
    config.read_queue_nums = config.write_queue_nums = queues;
    const Result<> created =
        run<Result<>>([&] { return admin.create_topic(broker->address(), config); });
    REQUIRE_MESSAGE(created, (created ? "" : created.error().message()));
    until([&] {
      client.routes().expire(topic);
      return run<Result<client::SharedRoute>>([&] { return client.routes().get(topic, 5s); })
          .has_value();
    });
  }

  // Bodies "0", "1" ... to the queues in turn.
  void send(client::Client& client, const std::string& topic, int count,
            const std::string& tag = "", int first = 0) {
    client::Producer producer(client, {});
    for (int i = first; i < first + count; ++i) {
      client::Message message;
      message.topic = topic;
      message.tag = tag;
      const std::string body = std::to_string(i);
      message.body.assign(as_bytes(body).begin(), as_bytes(body).end());
      const auto sent =
          run<Result<client::SendResult>>([&] { return producer.send(message, 10s); });
      REQUIRE_MESSAGE(sent, (sent ? "" : sent.error().message()));
    }
  }

  // Returns when `condition` holds; a test fails when that takes too long.
  static void until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kTooLong;
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }

  net::IoThreads threads{2};  // of clients

 private:
  TempDirectory directory_;
  net::IoThreads server_threads_{2};
  std::unique_ptr<roles::namesrv::NameServer> name_server_;
  std::unique_ptr<net::IoThreads> broker_threads_;
  std::vector<std::unique_ptr<client::Client>> clients_;

 public:
  std::unique_ptr<roles::broker::Broker> broker;
};

// A consumer of a new group that wants everything.
inline client::PushConsumerOptions from_first(const std::string& group = "g") {
  client::PushConsumerOptions options;
  options.group.group = group;
  options.group.from = client::ConsumeFrom::FirstOffset;
  return options;
}

// A push consumer that keeps what its listener got.
class Collector {
 public:
  using Answer = std::function<client::Consumed(const client::ReceivedMessage&)>;

  Collector(LocalCluster& cluster, client::Client& client, client::PushConsumerOptions options,
            Answer answer = {})
      : cluster_(cluster),
        answer_(std::move(answer)),
        consumer_(client, std::move(options),
                  [this](const client::MessageBatch& batch, client::ConsumeContext&) {
                    return on_batch(batch);
                  }) {}
  ~Collector() { stop(); }

  Collector& subscribe(const std::string& topic, const std::string& expression = "*") {
    REQUIRE(consumer_.subscribe(topic, expression).has_value());
    return *this;
  }
  Collector& start() {
    const Result<> started = cluster_.run<Result<>>([&] { return consumer_.start(); });
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
    return *this;
  }
  void stop() {
    net::run_blocking<void>(cluster_.threads.control(), [&] { return consumer_.shutdown(); });
    consumer_.join();
  }
  std::vector<client::MessageQueue> queues(const std::string& topic) {
    return cluster_.run<std::vector<client::MessageQueue>>(
        [&]() -> net::Task<std::vector<client::MessageQueue>> {
          std::vector<client::MessageQueue> queues = consumer_.queues();
          std::erase_if(queues, [&](const auto& queue) { return queue.topic != topic; });
          co_return queues;
        });
  }
  std::vector<client::ReceivedMessage> received() {
    MutexLock lock(mutex_);
    return received_;
  }
  std::size_t count() {
    MutexLock lock(mutex_);
    return received_.size();
  }
  std::vector<std::string> sorted_bodies() {
    std::vector<std::string> bodies;
    for (const auto& message : received()) bodies.emplace_back(as_text(message.body));
    std::sort(bodies.begin(), bodies.end());
    return bodies;
  }
  void wait_for(std::size_t count) {
    LocalCluster::until([&] { return this->count() >= count; });
  }
  client::PushConsumer& consumer() { return consumer_; }

 private:
  client::Consumed on_batch(const client::MessageBatch& batch) {
    auto answer = client::Consumed::Done;
    for (const auto& message : batch) {
      {
        MutexLock lock(mutex_);
        received_.push_back(*message);
      }
      if (answer_) answer = answer_(*message);
    }
    return answer;
  }

  LocalCluster& cluster_;
  Answer answer_;
  Mutex mutex_;
  std::vector<client::ReceivedMessage> received_ RMQ_GUARDED_BY(mutex_);
  client::PushConsumer consumer_;
};

// "0" ... "count - 1", as texts in order.
inline std::vector<std::string> numbers(int count, int first = 0) {
  std::vector<std::string> texts;
  for (int i = first; i < first + count; ++i) texts.push_back(std::to_string(i));
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace rmq::test
