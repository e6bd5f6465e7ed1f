// Two brokers of one set, and the controller by which they elect their master.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "protocol/broker_config.h"
#include "protocol/controller.h"
#include "protocol/controller_body.h"
#include "protocol/replica.h"
#include "roles/broker/controlled/replica_manager.h"
#include "roles/controller/controller.h"
#include "roles/controller/file_store.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

using Standing = ReplicaManager::Standing;

// The time limit of the test is the only other end.
void eventually(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::yield();
}

struct BrokerPair {
  BrokerPair() {
    threads.start();
    controller::ControllerConfig config;
    config.listen_address = "127.0.0.1";
    config.listen_port = 0;
    config.store_path = directory / "controller";
    controller = std::make_unique<controller::Controller>(
        threads, config, Clock::system(),
        std::make_unique<controller::FileStore>(FileSystem::posix(), config.store_path));
    REQUIRE(controller->start());
  }
  ~BrokerPair() {
    first.reset();
    second.reset();
    controller->stop();
    threads.stop();
  }

  BrokerConfig config(const std::string& name) const {
    BrokerConfig config = test_config(directory / name);
    config.enable_controller_mode = true;
    config.controller_addr = "127.0.0.1:" + std::to_string(controller->port());
    config.broker_role = BrokerRole::SyncMaster;
    return config;
  }
  void start(std::unique_ptr<Node>& node, const std::string& name) const {
    node = std::make_unique<Node>(config(name));
  }
  static Standing standing(const Node& node) { return node.broker.replicas()->standing(); }
  // The first one leads, the second one is in the set.
  void start_both() {
    start(first, "first");
    REQUIRE(standing(*first) == Standing::Master);
    start(second, "second");
    until_both_count();
  }
  void until_both_count() const {
    eventually([this] {
      const auto leading = first->broker.replicas()->leading();
      return leading && leading->members().contains(second->broker.replicas()->id());
    });
  }
  static Command send(Node& node) { return node.call(send_request(send_header("T"), "x")); }

  test::TempDirectory directory;
  net::IoThreads threads{2};
  std::unique_ptr<controller::Controller> controller;
  std::unique_ptr<Node> first;
  std::unique_ptr<Node> second;
};

// Where a group is sent that reads the first of two messages, "far" behind what is in memory.
std::string where_to_read(Node& node) {
  PullMessageRequest header = pull_header("T", 0);
  header.max_msg_nums = 1;
  return field(node.pull(header), "suggestWhichBrokerId");
}

}  // namespace

TEST_CASE_FIXTURE(BrokerPair, "failover: who is far behind is sent to the slave, if there is one") {
  BrokerConfig forgetful = config("first");
  forgetful.broker_role = BrokerRole::AsyncMaster;
  forgetful.store.access_message_in_memory_max_ratio = 0;
  first = std::make_unique<Node>(forgetful);
  REQUIRE(send(*first).code == 0);
  REQUIRE(send(*first).code == 0);
  first->settle();
  CHECK(where_to_read(*first) == "0");
  start(second, "second");
  until_both_count();
  first->settle();
  CHECK(where_to_read(*first) == "1");
  second.reset();
  eventually([this] { return !first->broker.replication().has_slaves(); });
  CHECK(where_to_read(*first) == "0");
}

TEST_CASE_FIXTURE(BrokerPair,
                  "failover: an asynchronous master that stops lets its slave have all") {
  BrokerConfig slow = config("first");
  slow.broker_role = BrokerRole::AsyncMaster;
  slow.ha_flow_control_enable = true;
  slow.max_ha_transfer_bytes_per_second = 256 * 1024;
  first = std::make_unique<Node>(slow);
  start(second, "second");
  until_both_count();
  const std::string body(64 * 1024, 'x');
  for (int i = 0; i < 8; ++i) REQUIRE(first->call(send_request(send_header("T"), body)).code == 0);
  const std::int64_t end = first->log_end();
  REQUIRE(second->log_end() < end);

  first.reset();
  CHECK(second->log_end() == end);
  eventually([this] { return standing(*second) == Standing::Master; });
  CHECK(second->log_end() == end);
}

TEST_CASE_FIXTURE(BrokerPair, "failover: a broker that cannot start can be stopped") {
  start(first, "first");
  BrokerConfig taken = config("second");
  taken.ha_listen_port = first->broker.config.ha_listen_port;
  net::IoThreads its_threads{1};
  Broker broker(its_threads, std::move(taken), FileSystem::posix(), Clock::system());
  its_threads.start();
  const Result<> started = broker.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == net::NetErrc::AddressInUse);
  broker.stop();
  its_threads.stop();
}

TEST_CASE_FIXTURE(BrokerPair,
                  "failover: the slave leads, has all that was acknowledged, and is followed") {
  start_both();
  CHECK(send(*second).code == static_cast<int>(ResponseCode::ServiceNotAvailable));
  CHECK_FALSE(second->broker.topics.contains("T"));
  for (int i = 0; i < 10; ++i) REQUIRE(send(*first).code == 0);
  const std::int64_t end = first->log_end();

  first.reset();
  eventually([this] { return standing(*second) == Standing::Master; });
  CHECK(second->log_end() == end);
  REQUIRE(send(*second).code == 0);
  second->settle();
  CHECK(second->broker.store->visible_end("T", 0) == QueueOffset{11});

  // Where its log is to be had, and which reigns it has.
  const Command place = second->call(protocol::make_request(
      RequestCode::ExchangeBrokerHaInfo, protocol::ExchangeBrokerHaInfoRequest{}));
  CHECK(field(place, "masterAddress") == second->broker.address());
  CHECK(field(place, "masterHaAddress").starts_with("127.0.0.1:"));
  const Command epochs = second->call(protocol::make_request(
      RequestCode::GetBrokerEpochCache, protocol::GetBrokerEpochCacheRequest{}));
  const std::string body(as_text(epochs.body));
  CHECK(body.find(R"("brokerId":0)") != std::string::npos);
  CHECK(body.find(R"("endOffset":)" + std::to_string(end) + R"(,"epoch":1,"startOffset":0)") !=
        std::string::npos);
  CHECK(body.find(R"("epoch":2,"startOffset":)" + std::to_string(end)) != std::string::npos);

  start(first, "first");
  eventually([this] {
    return standing(*first) == Standing::Slave && first->log_end() == second->log_end();
  });
  CHECK(send(*first).code != 0);
  CHECK(first->broker.replicas()->id() == 1);
}

TEST_CASE_FIXTURE(BrokerPair, "failover: a topic that only the log knows is made again") {
  start_both();
  REQUIRE(send(*first).code == 0);
  eventually([this] { return second->broker.topics.contains("T"); });
  REQUIRE(second->broker.topics.erase("T"));  // as if the table had not come yet
  first.reset();
  eventually([this] { return standing(*second) == Standing::Master; });
  CHECK(second->broker.topics.contains("T"));
}

TEST_CASE_FIXTURE(BrokerPair, "failover: notice of a newer reign ends the own one at once") {
  start(first, "first");
  REQUIRE(send(*first).code == 0);
  protocol::NotifyBrokerRoleChangedRequest notice;
  notice.master_broker_id = 7;
  notice.master_address = "127.0.0.1:1";
  notice.master_epoch = 5;
  notice.sync_state_set_epoch = 9;
  Command request = protocol::make_request(RequestCode::NotifyBrokerRoleChanged, notice);
  const std::string set = protocol::encode_sync_state_set({.ids = {7}, .epoch = 9});
  request.body.assign(as_bytes(set).begin(), as_bytes(set).end());
  REQUIRE(first->call(request).code == 0);
  eventually([this] { return standing(*first) != Standing::Master; });
  const Command refused = send(*first);
  CHECK(refused.code == static_cast<int>(ResponseCode::ServiceNotAvailable));
  CHECK(refused.remark.find("not the master") != std::string::npos);
}

TEST_CASE_FIXTURE(BrokerPair, "failover: how many must be in sync changes while it leads") {
  start(first, "first");
  REQUIRE(send(*first).code == 0);
  const auto update = [this](std::string_view text) {
    Command request = protocol::make_request(RequestCode::UpdateBrokerConfig,
                                             protocol::UpdateBrokerConfigRequest{});
    request.body.assign(as_bytes(text).begin(), as_bytes(text).end());
    return first->call(request).code;
  };
  REQUIRE(update("minInSyncReplicas=2\n") == 0);
  CHECK(send(*first).remark.find("in-sync replicas not enough") != std::string::npos);
  REQUIRE(update("brokerRole=ASYNC_MASTER\n") == 0);
  CHECK(send(*first).code == 0);
}

TEST_CASE_FIXTURE(BrokerPair,
                  "failover: while no controller has said who is master nothing is served") {
  BrokerConfig alone = config("alone");
  controller->stop();
  Node node(alone);
  CHECK(standing(node) == Standing::Fenced);
  CHECK(send(node).code == static_cast<int>(ResponseCode::ServiceNotAvailable));
  const Command pulled = node.pull(pull_header("T", 0));
  CHECK(pulled.remark.find("system busy") != std::string::npos);
}

}  // namespace rmq::roles::broker
