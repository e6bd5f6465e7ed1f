// A broker that turns to controllers while it runs, and from them.
#include <thread>

#include "protocol/broker_config.h"
#include "protocol/response_codes.h"
#include "roles/broker/controlled/replica_manager.h"
#include "roles/controller/controller.h"
#include "roles/controller/file_store.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

using Standing = ReplicaManager::Standing;

// A master without slaves, and a controller of which it does not know.
struct Lonely {
  Lonely() : node(test_config(directory / "broker")) {
    threads.start();
    controller::ControllerConfig config;
    config.listen_address = "127.0.0.1";
    config.listen_port = 0;
    controller = std::make_unique<controller::Controller>(
        threads, config, Clock::system(),
        std::make_unique<controller::FileStore>(FileSystem::posix(), directory / "controller"));
    REQUIRE(controller->start());
  }
  ~Lonely() {
    controller->stop();
    threads.stop();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(controller->port()); }
  Command update(const std::string& settings) {
    const ByteView bytes = as_bytes(settings);
    return node.call(protocol::make_request(RequestCode::UpdateBrokerConfig,
                                            protocol::UpdateBrokerConfigRequest{},
                                            Bytes(bytes.begin(), bytes.end())));
  }
  std::int32_t send() { return node.call(send_request(send_header("T"), "x")).code; }
  bool exists(const std::string& file) {
    return FileSystem::posix().exists(directory / ("broker/" + file)).value();
  }

  test::TempDirectory directory;
  net::IoThreads threads{2};
  std::unique_ptr<controller::Controller> controller;
  Node node;
};

}  // namespace

TEST_CASE_FIXTURE(Lonely, "switch: controllers while it runs, and none any more, twice") {
  REQUIRE(send() == 0);
  for (int round = 0; round < 2; ++round) {
    const Command on = update("enableControllerMode=true\ncontrollerAddr=" + address() + "\n");
    REQUIRE_MESSAGE(on.code == 0, on.remark);
    REQUIRE(node.broker.replicas() != nullptr);
    CHECK(node.broker.replicas()->standing() == Standing::Master);
    CHECK(node.broker.replicas()->leading()->epoch() == replication::Epoch{1});
    CHECK(exists("epochFileCheckpoint"));
    REQUIRE(send() == 0);
    const Command off = update("enableControllerMode=false\n");
    REQUIRE_MESSAGE(off.code == 0, off.remark);
    CHECK(node.broker.replicas() == nullptr);
    CHECK_FALSE(node.broker.is_slave());
    CHECK_FALSE(exists("epochFileCheckpoint"));
    CHECK_FALSE(exists("brokerIdentity"));
    REQUIRE(send() == 0);
  }
  node.settle();
  CHECK(node.broker.store->visible_end("T", 0) == QueueOffset{5});
}

TEST_CASE_FIXTURE(Lonely, "switch: without a controller that answers nothing changes") {
  REQUIRE(send() == 0);
  const Command no_address = update("enableControllerMode=true\n");
  CHECK(no_address.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  CHECK(no_address.remark.find("controllerAddr") != std::string::npos);
  const std::string gone = address();
  controller->stop();
  const Command refused = update("enableControllerMode=true\ncontrollerAddr=" + gone + "\n");
  CHECK(refused.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  CHECK(refused.remark.find(gone) != std::string::npos);
  CHECK(node.broker.replicas() == nullptr);
  CHECK(node.broker.config.controller_addr.empty());
  CHECK_FALSE(node.broker.config.enable_controller_mode);
  CHECK(send() == 0);
}

TEST_CASE_FIXTURE(Lonely, "switch: a master that cannot leave its controllers stays with them") {
  REQUIRE(update("enableControllerMode=true\ncontrollerAddr=" + address() + "\n").code == 0);
  controller->stop();
  const Command refused = update("enableControllerMode=false\n");
  CHECK(refused.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  REQUIRE(node.broker.replicas() != nullptr);
  CHECK(node.broker.replicas()->standing() == Standing::Master);
  CHECK(send() == 0);
  CHECK(update("controllerAddr=127.0.0.1:1\n").remark.find("controllerAddr") != std::string::npos);
}

}  // namespace rmq::roles::broker
