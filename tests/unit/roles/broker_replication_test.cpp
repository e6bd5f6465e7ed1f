// A master and its slave in one process: the log over the wire, and what each says of the other.
#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <thread>

#include "protocol/ha_status.h"
#include "protocol/topic.h"
#include "tests/support/broker_node.h"

namespace rmq::roles::broker {
namespace {

BrokerConfig master_config(const std::string& directory, BrokerRole role) {
  BrokerConfig config = test_config(directory);
  config.broker_role = role;
  config.ha_send_heartbeat_interval = 50ms;
  config.slave_timeout = 10s;
  return config;
}

BrokerConfig slave_config(const std::string& directory, const Node& master) {
  BrokerConfig config = master_config(directory, BrokerRole::Slave);
  config.broker_id = 1;
  config.ha_master_address = "127.0.0.1:" + std::to_string(master.broker.config.ha_listen_port);
  return config;
}

ResponseCode send(Node& node, std::string_view body) {
  return static_cast<ResponseCode>(node.call(send_request(send_header("T"), body)).code);
}

void wait_for_log(Node& node, std::int64_t end) {
  std::promise<Result<>> told;
  node.broker.store->dispatched().when_at_least(
      DispatchedOffset{end}, [&told](Result<> outcome) { told.set_value(std::move(outcome)); });
  REQUIRE(told.get_future().get());
}

std::string ha_status(Node& node) {
  const protocol::GetBrokerHaStatusRequest header;
  const Command answer = node.call(protocol::make_request(RequestCode::GetBrokerHaStatus, header));
  REQUIRE(answer.code == 0);
  return std::string(as_text(answer.body));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("replication: a slave has the log of before and what comes, over its restarts too") {
  const test::TempDirectory directory;
  Node master(master_config(directory / "master", BrokerRole::AsyncMaster));
  REQUIRE(send(master, "before") == ResponseCode::Success);
  for (int start = 0; start < 3; ++start) {
    Node slave(slave_config(directory / "slave", master));
    CHECK(send(slave, "to a slave") == ResponseCode::ServiceNotAvailable);
    for (int i = 0; i < 20; ++i) REQUIRE(send(master, "after") == ResponseCode::Success);
    wait_for_log(slave, master.log_end());
    CHECK(slave.log_end() == master.log_end());
    CHECK(slave.broker.store->visible_end("T", 0) == QueueOffset{1 + 20 * (start + 1)});
    const std::string end = std::to_string(master.log_end());
    CHECK(contains(ha_status(slave), "\"maxOffset\":" + end));
    CHECK(contains(ha_status(slave), "\"masterAddr\":\"" + slave.broker.config.ha_master_address));
    CHECK(contains(ha_status(master), "\"transferFromWhere\":" + end));
    CHECK(contains(ha_status(master), "\"master\":true"));
  }
}

TEST_CASE("replication: a synchronous master needs its slave") {
  const test::TempDirectory directory;
  Node master(master_config(directory / "master", BrokerRole::SyncMaster));
  CHECK(send(master, "alone") == ResponseCode::SystemError);
  CHECK(master.log_end() == 0);
  Node slave(slave_config(directory / "slave", master));
  while (!master.broker.replication().has_slaves()) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(send(master, "together") == ResponseCode::Success);
    CHECK(slave.log_end() == master.log_end());
  }
  wait_for_log(master, master.log_end());
  CHECK(master.broker.store->visible_end("T", 0) == QueueOffset{20});
}

TEST_CASE("replication: what a slave may not do") {
  const test::TempDirectory directory;
  Node master(master_config(directory / "master", BrokerRole::AsyncMaster));
  Node slave(slave_config(directory / "slave", master));
  protocol::UpdateAndCreateTopicRequest topic;
  topic.topic = "Other";
  topic.default_topic = "TBW102";
  topic.read_queue_nums = topic.write_queue_nums = 1;
  topic.perm = 6;
  topic.topic_filter_type = "SINGLE_TAG";
  const Command answer =
      slave.call(protocol::make_request(RequestCode::UpdateAndCreateTopic, topic));
  CHECK(answer.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  CHECK(contains(answer.remark, "from slave broker"));
  CHECK_FALSE(slave.broker.topics.contains("Other"));
}

}  // namespace
}  // namespace rmq::roles::broker
