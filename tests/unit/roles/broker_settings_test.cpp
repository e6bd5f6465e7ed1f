// Settings that are read and changed while the broker runs, and topics that are deleted.
#include "protocol/broker_config.h"

#include <algorithm>

#include "base/java_compat.h"
#include "protocol/topic.h"
#include "tests/support/broker_member.h"
#include "tests/support/failing_file_system.h"

namespace rmq::roles::broker {
namespace {

struct Settings : Fixture {
  Command update(std::string_view text) {
    return tool->call(RequestCode::UpdateBrokerConfig, protocol::UpdateBrokerConfigRequest{}, text);
  }
  std::string value_of(std::string_view key) {
    const Command answer =
        tool->call(RequestCode::GetBrokerConfig, protocol::GetBrokerConfigRequest{});
    REQUIRE(answer.code == 0);
    CHECK(field(answer, "version").starts_with("{\"counter\":"));
    for (const auto& [name, value] : parse_properties(as_text(answer.body))) {
      if (name == key) return value;
    }
    return "(absent)";
  }
  Command remove(std::string_view topic) {
    protocol::DeleteTopicInBrokerRequest request;
    request.topic = topic;
    return tool->call(RequestCode::DeleteTopicInBroker, request);
  }
  std::optional<BrokerMember> tool{std::in_place, *node, "tool"};
};

}  // namespace

TEST_CASE_FIXTURE(Settings, "settings: shown, and changed while running") {
  CHECK(value_of("brokerName") == "test-broker");
  CHECK(value_of("autoCreateTopicEnable") == "true");
  REQUIRE(node->call(send_request(send_header("Before"), "x")).code == 0);
  REQUIRE(update("autoCreateTopicEnable=false\nno.such.key=1\n").code == 0);
  CHECK(value_of("autoCreateTopicEnable") == "false");
  CHECK(node->call(send_request(send_header("After"), "x")).code == 17);
  CHECK(node->call(send_request(send_header("Before"), "x")).code == 0);
}

TEST_CASE_FIXTURE(Settings, "settings: all of a change or none") {
  const Command restart = update("traceOn=false\nautoCreateTopicEnable=false\n");
  CHECK(restart.code == 1);
  CHECK(restart.remark == "traceOn can only be changed with a restart");
  const Command bad = update("autoCreateTopicEnable=false\nbrokerPermission=99\n");
  CHECK(bad.code == 1);
  CHECK(bad.remark.find("brokerPermission") != std::string::npos);
  CHECK(bad.remark.find("0..6") != std::string::npos);
  CHECK(update("autoCreateTopicEnable=false\nbrokerConfigPath=/tmp/x\n").code == 16);
  CHECK(value_of("autoCreateTopicEnable") == "true");
  // One that says what is so already changes nothing, also where a change would want a restart.
  CHECK(update("traceOn=true\n").code == 0);
}

TEST_CASE_FIXTURE(Settings, "settings: a master becomes synchronous, and asynchronous again") {
  REQUIRE(node->call(send_request(send_header("T"), "x")).code == 0);
  REQUIRE(update("brokerRole=SYNC_MASTER\ninSyncReplicas=2\n").code == 0);
  const Command refused = node->call(send_request(send_header("T"), "x"));
  CHECK(refused.remark.find("in-sync replicas not enough") != std::string::npos);
  REQUIRE(update("brokerRole=ASYNC_MASTER\n").code == 0);
  REQUIRE(node->call(send_request(send_header("T"), "x")).code == 0);
  node->settle();
  CHECK(node->broker.store->visible_end("T", 0) == QueueOffset{2});
  const Command slave = update("brokerRole=SLAVE\n");
  CHECK(slave.code == 1);
  CHECK(slave.remark ==
        "brokerRole can only be changed between ASYNC_MASTER and SYNC_MASTER without a restart");
  CHECK(value_of("brokerRole") == "ASYNC_MASTER");
}

TEST_CASE_FIXTURE(Settings, "settings: a permission that changes is told as a new version") {
  const auto before = node->broker.topics.data_version();
  REQUIRE(update("brokerPermission=4\n").code == 0);
  CHECK(node->broker.topics.data_version().counter > before.counter);
}

TEST_CASE_FIXTURE(Settings, "delete topic: topic, messages and offsets go, and stay gone") {
  for (int i = 0; i < 3; ++i) REQUIRE(node->call(send_request(send_header("T"), "x")).code == 0);
  node->settle();
  node->broker.offsets.commit("peer", "g", "T", 0, QueueOffset{2});
  node->broker.offsets.commit("peer", "g", "U", 0, QueueOffset{2});
  REQUIRE(remove("T").code == 0);
  CHECK_FALSE(node->broker.topics.contains("T"));
  CHECK(node->broker.offsets.topics_of("g") == std::vector<std::string>{"U"});
  CHECK(node->pull(pull_header("T", 0)).code == 17);
  tool.reset();
  restart();
  CHECK_FALSE(node->broker.topics.contains("T"));

  // Made again: it begins where it was, without what was deleted.
  REQUIRE(node->call(send_request(send_header("T"), "new")).code == 0);
  node->settle();
  const Command moved = node->pull(pull_header("T", 0));
  CHECK(moved.code == static_cast<int>(ResponseCode::PullOffsetMoved));
  CHECK(field(moved, "nextBeginOffset") == "3");
  CHECK(node->pull(pull_header("T", 3)).code == 0);
}

TEST_CASE_FIXTURE(Settings, "delete topic: system topics stay, an unknown one is gone already") {
  const Command system = remove("SELF_TEST_TOPIC");
  CHECK(system.code == 29);
  CHECK(system.remark == "The topic[SELF_TEST_TOPIC] is conflict with system topic.");
  CHECK(remove("test-broker").code == 29);
  CHECK(remove("").code == 29);
  CHECK(remove("Nope").code == 0);
}

TEST_CASE_FIXTURE(Settings, "cleaning: messages of topics that are gone, and expired files") {
  REQUIRE(node->call(send_request(send_header("T"), "x")).code == 0);
  REQUIRE(node->call(send_request(send_header("U"), "x")).code == 0);
  node->settle();
  node->broker.topics.erase("U");  // as a crash in the middle of a deletion leaves it
  CHECK(tool->call(RequestCode::CleanUnusedTopic, protocol::CleanUnusedTopicRequest{}).code == 0);
  CHECK(node->broker.store->min_offset("T", 0) == QueueOffset{0});
  CHECK(node->broker.store->min_offset("U", 0) == QueueOffset{1});
  CHECK(
      tool->call(RequestCode::CleanExpiredConsumequeue, protocol::CleanExpiredConsumequeueRequest{})
          .code == 0);
  CHECK(tool->call(RequestCode::DeleteExpiredCommitlog, protocol::DeleteExpiredCommitlogRequest{})
            .code == 0);
  CHECK(node->pull(pull_header("T", 0)).code == 0);  // it is not expired
}

TEST_CASE("full disk: a send is refused with Java's code and the reason, a pull is served") {
  test::TempDirectory directory;
  test::FailingFileSystem files;
  BrokerConfig config = test_config(directory.path());
  config.store.clean_resource_interval = 1ms;
  config.store.clean_file_forcibly_enable = false;
  Node node(config, files);
  REQUIRE(node.call(send_request(send_header("T"), "x")).code == 0);
  node.settle();
  files.set_space(DiskSpace{.used_bytes = 95, .available_bytes = 5});
  Command refused;
  do {
    refused = node.call(send_request(send_header("T"), "x"));
  } while (refused.code == 0);
  CHECK(refused.code == 14);
  CHECK(refused.remark.starts_with("service not available now: the disk is full: 95 % used"));
  CHECK(node.pull(pull_header("T", 0)).code == 0);
  files.set_space(std::nullopt);
  while (node.call(send_request(send_header("T"), "x")).code != 0) {
  }
}

}  // namespace rmq::roles::broker
