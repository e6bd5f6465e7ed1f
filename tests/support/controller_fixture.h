// ControllerFixture: a whole controller on a free port, spoken to through RpcClient, and replicas
// that listen and take notices. The controller's clock is manual.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "net/await.h"
#include "net/rpc_client.h"
#include "protocol/controller.h"
#include "protocol/controller_body.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "roles/controller/controller.h"
#include "roles/controller/file_store.h"
#include "tests/support/fake_server.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::controller {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::NoFields;
using protocol::ResponseCode;

inline std::string text(const Command& command) { return std::string(as_text(command.body)); }
inline std::string field(const Command& command, std::string_view key) {
  return std::string(command.view().find(key).value_or("none"));
}
inline bool is(const Command& command, ResponseCode code) {
  return command.code == static_cast<std::int32_t>(code);
}

// A broker's process as a controller sees it: a port that takes notices, and one connection.
class Replica {
 public:
  explicit Replica(std::int64_t broker_id, std::string broker_set = "b")
      : id(broker_id), set(std::move(broker_set)) {
    threads_.start();
    server_ = std::make_unique<test::FakeServer>(
        threads_, [this](const protocol::CommandView& request) -> std::optional<net::Response> {
          CHECK(request.code == static_cast<std::int32_t>(RequestCode::NotifyBrokerRoleChanged));
          std::string notice;
          for (const char* key :
               {"masterBrokerId", "masterAddress", "masterEpoch", "syncStateSetEpoch", "dead"}) {
            notice += std::string(request.find(key).value_or("-")) + " ";
          }
          MutexLock lock(mutex_);
          notices_.push_back(notice + std::string(as_text(request.body)));
          return std::nullopt;
        });
    address = server_->address();
    client = std::make_unique<net::RpcClient>(threads_);
  }
  ~Replica() {
    client.reset();
    threads_.stop();
  }
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // What a kill does: port and connection close.
  void die() {
    server_->stop();
    client.reset();
  }
  void close_connection() { client = std::make_unique<net::RpcClient>(threads_); }
  std::vector<std::string> notices() {
    MutexLock lock(mutex_);
    return notices_;
  }
  // The next notice but `seen`; the test's time limit is the only other end.
  std::string notice(std::size_t seen) {
    while (notices().size() <= seen) std::this_thread::yield();
    return notices()[seen];
  }
  net::IoThread& thread() { return threads_.data(0); }

  const std::int64_t id;
  const std::string set;
  std::string address;
  std::unique_ptr<net::RpcClient> client;
  std::int32_t epoch = 0;
  std::int64_t end = 0;
  std::int64_t timeout_ms = 1'000;
  bool set_notices = false;

 private:
  net::IoThreads threads_{1};
  Mutex mutex_;
  std::vector<std::string> notices_ RMQ_GUARDED_BY(mutex_);
  std::unique_ptr<test::FakeServer> server_;
};

struct ControllerFixture {
  ControllerFixture() {
    config.listen_address = "127.0.0.1";
    config.listen_port = 0;
    config.store_path = directory / "controller";
    config.standstill = 24h;  // the clock is not the one that a held-up thread is late by
    threads.start();
  }
  ~ControllerFixture() {
    tool.reset();
    if (controller) controller->stop();
    io().stop();  // those that it runs on
    threads.stop();
  }
  void start() { start(std::make_unique<FileStore>(*files, config.store_path)); }
  void start(std::unique_ptr<ControllerStore> store) {
    controller = std::make_unique<Controller>(threads, config, clock, std::move(store));
    const Result<> started = controller->start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
    tool = std::make_unique<net::RpcClient>(threads);
  }
  // A new process on the same directory. The threads go with the old one.
  void restart() {
    tool.reset();
    controller->stop();
    threads.stop();
    controller.reset();
    more_threads.push_back(std::make_unique<net::IoThreads>(2));
    more_threads.back()->start();
    controller =
        std::make_unique<Controller>(*more_threads.back(), config, clock,
                                     std::make_unique<FileStore>(*files, config.store_path));
    REQUIRE(controller->start());
    tool = std::make_unique<net::RpcClient>(*more_threads.back());
  }

  template <class Header>
  Command call(net::RpcClient& client, net::IoThread& thread, RequestCode code,
               const Header& header, std::string_view body = {}) {
    Command request = protocol::make_request(code, header);
    request.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    return call(client, thread, std::move(request));
  }
  Command call(net::RpcClient& client, net::IoThread& thread, Command request) {
    const std::string address = "127.0.0.1:" + std::to_string(controller->port());
    std::function<net::Task<Result<Command>>()> start_call = [&client, address, request] {
      return client.call(address, request, 60s);
    };
    Result<Command> response = net::run_blocking<Result<Command>>(thread, start_call);
    REQUIRE_MESSAGE(response, (response ? "" : response.error().message()));
    return *response;
  }
  template <class Header>
  Command ask(RequestCode code, const Header& header, std::string_view body = {}) {
    return call(*tool, io().data(0), code, header, body);
  }
  template <class Header>
  Command ask(Replica& replica, RequestCode code, const Header& header,
              std::string_view body = {}) {
    return call(*replica.client, replica.thread(), code, header, body);
  }
  net::IoThreads& io() { return more_threads.empty() ? threads : *more_threads.back(); }

  // --- What brokers of the set "b" in cluster "c" ask

  Command next_id(std::string_view set = "b") {
    return ask(RequestCode::ControllerGetNextBrokerId,
               protocol::ControllerGetNextBrokerIdRequest{"c", set});
  }
  Command apply(std::int64_t id, std::string_view check_code, std::string_view set = "b") {
    return ask(RequestCode::ControllerApplyBrokerId,
               protocol::ControllerApplyBrokerIdRequest{.cluster_name = "c",
                                                        .broker_name = set,
                                                        .applied_broker_id = id,
                                                        .register_check_code = check_code});
  }
  Command register_broker(Replica& replica) {
    return ask(replica, RequestCode::ControllerRegisterBroker,
               protocol::ControllerRegisterBrokerRequest{.cluster_name = "c",
                                                         .broker_name = replica.set,
                                                         .broker_id = replica.id,
                                                         .broker_address = replica.address});
  }
  Command beat(Replica& replica) {
    protocol::BrokerHeartbeatRequest heartbeat;
    heartbeat.cluster_name = "c";
    heartbeat.broker_name = replica.set;
    heartbeat.broker_addr = replica.address;
    heartbeat.broker_id = replica.id;
    heartbeat.epoch = replica.epoch;
    heartbeat.max_offset = PhysicalOffset{replica.end};
    heartbeat.heartbeat_timeout_mills = replica.timeout_ms;
    Command request = protocol::make_request(RequestCode::BrokerHeartbeat, heartbeat);
    if (replica.set_notices) {
      const protocol::HeartbeatExtras extras{.set_notices = true};
      protocol::append_fields(extras, request.fields);
    }
    return call(*replica.client, replica.thread(), std::move(request));
  }
  Command elect(Replica& replica, std::optional<std::int32_t> over = {}) {
    protocol::ControllerElectMasterRequest request;
    request.cluster_name = "c";
    request.broker_name = replica.set;
    request.broker_id = replica.id;
    request.over = over;
    return ask(replica, RequestCode::ControllerElectMaster, request);
  }
  Command designate(std::int64_t id, std::string_view set = "b") {
    protocol::ControllerElectMasterRequest request;
    request.cluster_name = "c";
    request.broker_name = set;
    request.broker_id = id;
    request.designate_elect = true;
    return ask(RequestCode::ControllerElectMaster, request);
  }
  Command alter(Replica& master, std::int32_t epoch, std::int32_t set_epoch,
                std::vector<std::int64_t> ids) {
    return ask(master, RequestCode::ControllerAlterSyncStateSet,
               protocol::ControllerAlterSyncStateSetRequest{
                   .broker_name = "b", .master_broker_id = master.id, .master_epoch = epoch},
               protocol::encode_sync_state_set({.ids = std::move(ids), .epoch = set_epoch}));
  }
  Command info(std::string_view set = "b") {
    return ask(RequestCode::ControllerGetReplicaInfo,
               protocol::ControllerGetReplicaInfoRequest{set});
  }
  // "2 epoch 3 {1,2} 4"; "none" for a master who is not.
  std::string reign() {
    const Command answer = info();
    REQUIRE(is(answer, ResponseCode::Success));
    const auto set = protocol::decode_sync_state_set(as_text(answer.body));
    REQUIRE(set);
    return field(answer, "masterBrokerId") + " epoch " + field(answer, "masterEpoch") + " {" +
           protocol::join_ids(set->ids, ',') + "} " + std::to_string(set->epoch);
  }
  // Asks until it is so; the test's time limit is the only other end.
  void wait_for_reign(const std::string& wanted) {
    while (reign() != wanted) std::this_thread::yield();
  }

  // With an id, registered, and heard of.
  std::unique_ptr<Replica> join(std::int64_t id, const std::string& set = "b") {
    auto replica = std::make_unique<Replica>(id, set);
    REQUIRE(is(apply(id, replica->address + ";1", set), ResponseCode::Success));
    REQUIRE(is(register_broker(*replica), ResponseCode::Success));
    REQUIRE(is(beat(*replica), ResponseCode::Success));
    return replica;
  }
  // Returns when the controller has looked at every set since: the master of another one dies, and
  // that was acted on.
  void let_it_look() {
    const std::string set = "other-" + std::to_string(++looks);
    const auto master = join(1, set);
    REQUIRE(is(elect(*master), ResponseCode::Success));
    master->die();
    while (field(info(set), "masterBrokerId") != "none") std::this_thread::yield();
  }
  // Replicas 1 and 2, both in the set; 1 is master: "1 epoch 1 {1,2} 2".
  void make_pair() {
    first = join(1);
    second = join(2);
    REQUIRE(is(elect(*first), ResponseCode::Success));
    REQUIRE(is(alter(*first, 1, 1, {1, 2}), ResponseCode::Success));
    // Elections are told, and somebody may count what follows.
    (void)first->notice(0);
    (void)second->notice(0);
  }

  test::TempDirectory directory;
  ControllerConfig config;
  ManualClock clock;
  FileSystem* files = &FileSystem::posix();
  net::IoThreads threads{2};
  std::vector<std::unique_ptr<net::IoThreads>> more_threads;
  std::unique_ptr<Controller> controller;
  std::unique_ptr<net::RpcClient> tool;
  std::unique_ptr<Replica> first;
  std::unique_ptr<Replica> second;
  int looks = 0;
};

}  // namespace rmq::roles::controller
