// Broker sets in a real etcd, and two controllers that share them.
#include "roles/controller/etcd_store.h"

#include <doctest/doctest.h>

#include <ostream>

#include "etcd/etcd_errc.h"
#include "net/await.h"
#include "protocol/protocol_errc.h"
#include "tests/support/controller_fixture.h"
#include "tests/support/controller_store_fixture.h"
#include "tests/support/etcd_process.h"
#include "tests/support/scripted_http_server.h"

namespace rmq::roles::controller {
namespace {

using test::EtcdProcess;
using test::set_of;

struct EtcdFixture : test::ControllerStoreFixture {
  EtcdProcess etcd;
};

}  // namespace

TEST_CASE_FIXTURE(EtcdFixture, "etcd store: only the next version is stored, for all controllers") {
  EtcdStore store(threads.control(), {etcd.endpoint()}, "g");
  REQUIRE(store.open());
  CHECK(list(store).empty());
  CHECK_FALSE(load(store, "b"));
  CHECK_FALSE(swap(store, set_of("b", 2)).value());
  CHECK(swap(store, set_of("b", 1)).value());
  CHECK_FALSE(swap(store, set_of("b", 1)).value());
  EtcdStore other(threads.control(), {etcd.endpoint()}, "g");
  REQUIRE(other.open());
  CHECK(load(other, "b") == set_of("b", 1));
  CHECK(swap(other, set_of("b", 2)).value());
  CHECK_FALSE(swap(store, set_of("b", 2)).value());
  CHECK(swap(store, set_of("b", 3)).value());
  CHECK(swap(store, set_of("a", 1)).value());
  CHECK(list(other) == std::vector{set_of("a", 1), set_of("b", 3)});
  CHECK_FALSE(run<bool>([&] { return store.remove("b", 2); }).value());
  CHECK(run<bool>([&] { return store.remove("b", 3); }).value());
  CHECK(list(other) == std::vector{set_of("a", 1)});
  EtcdStore group(threads.control(), {etcd.endpoint()}, "another");
  REQUIRE(group.open());
  CHECK(list(group).empty());
}

TEST_CASE_FIXTURE(EtcdFixture, "etcd store: what others have written there is not taken") {
  EtcdStore store(threads.control(), {etcd.endpoint()}, "g");
  REQUIRE(store.open());
  REQUIRE(swap(store, set_of("b", 1)).value());
  etcd::EtcdClient tool(threads.control(), {etcd.endpoint()}, 10s);
  const std::string value =
      run<std::optional<etcd::Record>>([&] { return tool.get("/rmq/g/broker-sets/b"); })
          .value()
          .value()
          .value;
  // An old value put back.
  REQUIRE(run<bool>([&] { return tool.put_if("/rmq/g/broker-sets/b", 1, value); }).value());
  const auto back = run<std::optional<replication::BrokerSet>>([&] { return store.load("b"); });
  REQUIRE_FALSE(back);
  CHECK(back.error().code == protocol::ProtocolErrc::BodyMalformed);
  CHECK(back.error().detail.find("its value says version 1, etcd counts 2") != std::string::npos);
  REQUIRE(run<bool>([&] { return tool.put_if("/rmq/g/broker-sets/b", 2, "no JSON"); }).value());
  CHECK_FALSE(run<std::optional<replication::BrokerSet>>([&] { return store.load("b"); }));
  CHECK_FALSE(run<std::vector<replication::BrokerSet>>([&] { return store.list(); }));
}

TEST_CASE("etcd store: an etcd that refuses stops the start") {
  const std::string body = R"({"error":"etcdserver: user name is empty","code":3})";
  test::ScriptedHttpServer server(
      {"HTTP/1.1 400 x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body});
  net::IoThreads threads(1);
  threads.start();
  EtcdStore store(threads.control(), {server.address()}, "g");
  const Result<> refused = store.open();
  threads.stop();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == etcd::EtcdErrc::Refused);
  CHECK(refused.error().detail.find(server.address()) != std::string::npos);
}

namespace {

// Two controllers of one group: the fixture's own, and `second`, which `other` asks.
struct TwoControllers : ControllerFixture {
  TwoControllers() {
    threads_of_second.start();
    controller = std::make_unique<Controller>(
        threads, config, clock,
        std::make_unique<EtcdStore>(threads.control(), endpoints(), config.group));
    REQUIRE(controller->start());
    tool = std::make_unique<net::RpcClient>(threads);
    second_controller = std::make_unique<Controller>(
        threads_of_second, config, clock,
        std::make_unique<EtcdStore>(threads_of_second.control(), endpoints(), config.group));
    REQUIRE(second_controller->start());
  }
  ~TwoControllers() {
    if (turned) turn();
    second_controller->stop();
    threads_of_second.stop();
  }
  std::vector<std::string> endpoints() const { return {etcd.endpoint()}; }
  // From here on the other one is spoken to.
  void turn() {
    controller.swap(second_controller);
    turned = !turned;
  }

  // It knows the set from the store a moment later, and takes heartbeats then.
  void await_known() {
    const auto known = [&] {
      beat(*first);
      beat(*second);
      const Command answer = ask(RequestCode::ControllerGetSyncStateData, NoFields{}, "[\"b\"]");
      return text(answer).find("\"alive\":false") == std::string::npos &&
             text(answer).find("\"alive\":true") != std::string::npos;
    };
    while (!known()) std::this_thread::yield();
  }

  EtcdProcess etcd;
  net::IoThreads threads_of_second{2};
  std::unique_ptr<Controller> second_controller;
  bool turned = false;
};

}  // namespace

TEST_CASE_FIXTURE(TwoControllers, "two controllers: what one has decided, the other goes on with") {
  make_pair();
  REQUIRE(reign() == "1 epoch 1 {1,2} 2");
  turn();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  CHECK(is(apply(1, "another"), ResponseCode::ControllerBrokerIdInvalid));
  await_known();
  CHECK(is(alter(*first, 1, 2, {1}), ResponseCode::Success));
  turn();
  CHECK(reign() == "1 epoch 1 {1} 3");
  // Fenced by what the other one stored.
  CHECK(is(alter(*first, 1, 2, {1, 2}), ResponseCode::ControllerFencedSyncStateSetEpoch));
}

TEST_CASE_FIXTURE(TwoControllers, "two controllers: the one that hears of a death elects") {
  make_pair();
  turn();
  await_known();
  second_controller->stop();
  const std::size_t notices = second->notices().size();
  first->die();
  CHECK(second->notice(notices).starts_with("2 " + second->address + " 2 "));
  CHECK(reign() == "2 epoch 2 {1,2} 3");
}

}  // namespace rmq::roles::controller
