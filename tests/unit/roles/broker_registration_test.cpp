#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "net/await.h"
#include "net/response_frame.h"
#include "net/rpc_client.h"
#include "net/rpc_server.h"
#include "protocol/header_fields.h"
#include "protocol/registration_body.h"
#include "protocol/route.h"
#include "roles/broker/registration.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using protocol::RequestCode;

// What a name server was told, in order; it refuses the first `refusals` registrations.
class FakeNameServer final : public net::Service {
 public:
  struct Told {
    std::int32_t code = 0;
    std::string broker_addr;
    std::string ha_server_addr;
    bool crc_right = false;
    protocol::RegisterBrokerBody body;
  };

  explicit FakeNameServer(net::IoThreads& threads)
      : threads_(threads), server_(std::make_unique<net::RpcServer>(threads, *this)) {
    listen(0);
  }
  ~FakeNameServer() override { close(); }

  void listen(std::uint16_t port) {
    REQUIRE(server_->listen("127.0.0.1", port));
    port_ = server_->port();
    server_->start_accepting();
  }
  void close() {
    if (!server_) return;
    server_->stop_accepting();
    server_->close_connections(20s);
    server_.reset();
  }
  void reopen() {
    server_ = std::make_unique<net::RpcServer>(threads_, *this);
    listen(port_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override {
    Told told;
    told.code = command.code;
    net::Response response;
    if (command.code == static_cast<std::int32_t>(RequestCode::RegisterBroker)) {
      const auto header = protocol::decode_fields<protocol::RegisterBrokerRequest>(command);
      told.broker_addr = header->broker_addr;
      told.ha_server_addr = header->ha_server_addr;
      told.crc_right = header->body_crc32 == protocol::registration_crc32(command.body);
      told.body = *protocol::decode_registration(command.body, command.version);
      if (refusals > 0) {
        --refusals;
        response.code = 1;
      } else if (!order_topics.empty()) {
        response.body.assign(as_bytes(order_topics).begin(), as_bytes(order_topics).end());
      }
    }
    if (!silent) {
      net::write_response(turn.connection.out(), net::Asked(command), std::move(response));
    }
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(told));
    changed_.notify_all();
  }
  void on_turn_end(net::ReadTurn&) override {}
  void on_closed(net::Connection&) override {}

  // The `index`th thing it was told, once it was.
  Told told(std::size_t index) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 20s, [&] { return told_.size() > index; }));
    return told_[index];
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return told_.size();
  }

  std::atomic<int> refusals{0};
  std::atomic<bool> silent{false};  // takes what it is told and answers nothing
  std::string order_topics;         // set before it is asked

 private:
  net::IoThreads& threads_;
  std::unique_ptr<net::RpcServer> server_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;
};

struct Fixture {
  Fixture() {
    config.broker_name = "broker-a";
    config.cluster_name = "c";
    threads.start();
  }
  ~Fixture() {
    if (registration) {
      blocking<void>([this] { return registration->stop(2s); });
    }
    threads.stop();
  }
  template <class T>
  T blocking(std::function<net::Task<T>()> start) {
    return net::run_blocking<T>(threads.control(), std::move(start));
  }
  // Registers with `addresses`; what first_round() said.
  bool start(const std::string& addresses, std::chrono::milliseconds timeout = 10s) {
    config.namesrv_addr = addresses;
    topics = std::make_unique<TopicTable>(config, clock, FileSystem::posix(), directory.path());
    REQUIRE(topics->load(false));
    registration = std::make_unique<Registration>(config, *topics, client, threads.control());
    return blocking<bool>([this, timeout] {
      registration->start({"10.0.0.1:10911", "10.0.0.1:10912"});
      return registration->first_round(timeout);
    });
  }
  void create(const std::string& name) {
    protocol::TopicConfig topic;
    topic.topic = name;
    topics->create_if_absent(topic);
  }
  void publish() {
    blocking<void>([this] { return registration->publish_changes(10s); });
  }
  bool reachable(const std::string& address) {
    return blocking<bool>([this, address]() -> net::Task<bool> {
      const protocol::UnregisterBrokerRequest header;
      protocol::Command request = protocol::make_request(RequestCode::UnregisterBroker, header);
      const Result<protocol::Command> answer =
          co_await client.call(address, std::move(request), 10s);
      co_return answer.has_value();
    });
  }
  std::size_t registered() {
    return blocking<std::size_t>(
        [this]() -> net::Task<std::size_t> { co_return registration->registered_count(); });
  }

  test::TempDirectory directory;
  BrokerConfig config;
  ManualClock clock;
  net::IoThreads threads{1};
  net::RpcClient client{threads};
  std::unique_ptr<TopicTable> topics;
  std::unique_ptr<Registration> registration;
};

TEST_CASE_FIXTURE(Fixture, "registration: the whole table first, then what changed, then the end") {
  FakeNameServer server(threads);
  REQUIRE(start(server.address()));
  const auto first = server.told(0);
  CHECK(first.code == 103);
  CHECK(first.broker_addr == "10.0.0.1:10911");
  CHECK(first.ha_server_addr == "10.0.0.1:10912");
  CHECK(first.crc_right);
  CHECK(first.body.topics.size() == topics->contents().first->size());
  CHECK(registered() == 1);

  create("T");
  create("U");
  publish();
  const auto second = server.told(1);
  CHECK(second.body.topics.size() == 2);
  CHECK(second.body.data_version == topics->data_version());
  CHECK(second.crc_right);
  publish();  // nothing new
  CHECK(server.count() == 2);

  blocking<void>([this] { return registration->stop(2s); });
  CHECK(server.told(2).code == 104);
  CHECK(server.count() == 3);
  registration.reset();
}

TEST_CASE_FIXTURE(Fixture, "registration: without name servers a broker is ready") {
  CHECK(start(""));
  create("T");
  publish();
  CHECK(registered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "registration: one name server that is down delays nobody") {
  FakeNameServer up(threads);
  FakeNameServer down(threads);
  const std::string gone = down.address();
  down.close();
  CHECK(start(gone + "; " + up.address()));
  CHECK(up.told(0).code == 103);
  create("T");
  publish();  // waits for those that know the broker only
  CHECK(up.told(1).body.topics.size() == 1);
  CHECK(registered() == 1);
  // It comes back and is told all.
  down.reopen();
  CHECK(down.told(0).body.topics.size() == topics->contents().first->size());
}

TEST_CASE_FIXTURE(Fixture, "registration: ends while a name server owes an answer") {
  FakeNameServer server(threads);
  server.silent = true;
  CHECK_FALSE(start(server.address(), 50ms));
  CHECK(server.told(0).code == 103);
  blocking<void>([this] { return registration->stop(50ms); });
  registration.reset();
  const std::string gone = server.address();
  server.close();  // what waited for the answer goes on, with nobody to tell
  CHECK_FALSE(reachable(gone));
}

TEST_CASE_FIXTURE(Fixture, "registration: nobody there") {
  FakeNameServer down(threads);
  const std::string gone = down.address();
  down.close();
  CHECK_FALSE(start(gone));
  CHECK(registered() == 0);
}

TEST_CASE_FIXTURE(Fixture, "registration: a refused increment is followed by the whole table") {
  FakeNameServer server(threads);
  REQUIRE(start(server.address()));
  server.refusals = 1;
  create("T");
  publish();
  CHECK(server.told(1).body.topics.size() == 1);
  CHECK(server.told(2).body.topics.size() == topics->contents().first->size());
}

TEST_CASE_FIXTURE(Fixture, "registration: a name server that restarts is told all again") {
  FakeNameServer server(threads);
  REQUIRE(start(server.address()));
  server.told(0);
  server.close();
  server.reopen();
  const auto again = server.told(1);
  CHECK(again.code == 103);
  CHECK(again.body.topics.size() == topics->contents().first->size());
}

TEST_CASE_FIXTURE(Fixture, "registration: every period") {
  config.register_namesrv_period = 50ms;
  FakeNameServer server(threads);
  REQUIRE(start(server.address()));
  CHECK(server.told(3).body.topics.size() == topics->contents().first->size());
}

TEST_CASE_FIXTURE(Fixture, "registration: the name server's order topics are marked") {
  FakeNameServer server(threads);
  server.order_topics = R"({"table":{"BenchmarkTest":"broker-a:4","unknown":"x:1"}})";
  REQUIRE(start(server.address()));
  CHECK(topics->is_order_topic("BenchmarkTest"));
}

TEST_CASE_FIXTURE(Fixture,
                  "registration: a broker without write permission takes it from its topics") {
  config.broker_permission = protocol::kPermRead;
  FakeNameServer server(threads);
  REQUIRE(start(server.address()));
  for (const auto& topic : server.told(0).body.topics)
    CHECK((topic.perm & ~protocol::kPermRead) == 0);
}

TEST_CASE_FIXTURE(Fixture, "registration: a permission that changes is told of every topic") {
  FakeNameServer server(threads);
  REQUIRE(start(server.address()));
  const auto before = server.told(0);
  config.broker_permission = protocol::kPermRead;
  blocking<void>([this]() -> net::Task<> {
    registration->settings_changed();
    co_return;
  });
  const auto after = server.told(1);
  CHECK(after.body.topics.size() == before.body.topics.size());
  for (const auto& topic : after.body.topics) CHECK((topic.perm & ~protocol::kPermRead) == 0);
  CHECK(after.body.data_version.counter > before.body.data_version.counter);
}

}  // namespace
}  // namespace rmq::roles::broker
