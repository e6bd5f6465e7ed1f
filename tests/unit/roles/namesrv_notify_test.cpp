// What a name server tells brokers by itself.
#include <doctest/doctest.h>

#include <atomic>

#include "tests/support/fake_server.h"
#include "tests/support/name_server_fixture.h"

namespace rmq::roles::namesrv {
namespace {

// A replica that listens, on threads of its own.
struct Replica {
  Replica() {
    threads.start();
    server = std::make_unique<test::FakeServer>(
        threads, [this](const protocol::CommandView& request) -> std::optional<net::Response> {
          CHECK(request.code == static_cast<std::int32_t>(RequestCode::NotifyMinBrokerIdChange));
          std::string text;
          for (const char* key : {"minBrokerId", "brokerName", "minBrokerAddr", "haBrokerAddr",
                                  "offlineBrokerAddr"}) {
            text += std::string(request.find(key).value_or("-")) + " ";
          }
          told.push_back(text);
          count = told.size();
          return std::nullopt;
        });
  }
  ~Replica() { threads.stop(); }
  void wait_for(std::size_t notices) {
    while (count < notices) std::this_thread::yield();
  }

  net::IoThreads threads{1};
  std::vector<std::string> told;
  std::atomic<std::size_t> count{0};
  std::unique_ptr<test::FakeServer> server;
};

}  // namespace

TEST_CASE_FIXTURE(NameServerFixture, "name server: replicas hear of a new lowest broker id") {
  config.notify_min_broker_id_changed = true;
  start();
  Replica replica;
  protocol::RegisterBrokerRequest slave = registration(1);
  const std::string address = replica.server->address();
  slave.broker_addr = address;
  net::RpcClient of_slave(threads);
  slave.enable_acting_master = true;
  REQUIRE(call(of_slave, RequestCode::RegisterBroker, slave, topics({"T", "U"})).code == 0);
  protocol::RegisterBrokerRequest master = registration();
  master.enable_acting_master = true;
  REQUIRE(call(*broker, RequestCode::RegisterBroker, master, topics({"T", "U"})).code == 0);
  replica.wait_for(1);
  broker.reset();  // the master's connection
  replica.wait_for(2);
  CHECK(replica.told[0] == "0 b 1.1.1.1:10911 1.1.1.1:10912 - ");
  CHECK(replica.told[1] == "1 b " + address + " - 1.1.1.1:10911 ");
}

}  // namespace rmq::roles::namesrv
