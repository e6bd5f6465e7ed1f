// Pulls of what is not in memory: read where waiting delays nobody else.
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <ostream>

#include "tests/support/broker_node.h"
#include "tests/support/failing_file_system.h"

namespace rmq::roles::broker {
namespace {

// A broker with three messages that are not in memory.
struct ColdNode {
  ColdNode() {
    files.before_read([this](const std::string& path) {
      if (path.find("commitlog") == std::string::npos) return;
      ++log_reads;
      if (gated.fetch_sub(1) <= 0) return;
      if (++held == 2) waiting.set_value();
      released.wait();
    });
    BrokerConfig config = test_config(directory.path());
    config.store.hot_log_bytes = 0;
    node = std::make_unique<Node>(config, files);
    for (const char* body : {"a", "b", "c"}) {
      REQUIRE(node->call(send_request(send_header("T"), body)).code == 0);
    }
    node->settle();
    files.evict("commitlog");
  }

  test::TempDirectory directory;
  test::FailingFileSystem files;
  std::atomic<int> gated{0};  // so many reads of the log wait for `release`
  std::atomic<int> held{0};
  std::atomic<int> log_reads{0};
  std::promise<void> waiting;  // two of them do
  std::promise<void> release;
  std::shared_future<void> released{release.get_future()};
  std::unique_ptr<Node> node;
};

using Bodies = std::vector<std::string>;

Bodies bodies_of(const Command& answer) {
  Bodies bodies;
  for (const auto& record : records_of(answer)) bodies.emplace_back(as_text(record.body));
  return bodies;
}

TEST_CASE_FIXTURE(ColdNode, "cold pull: those that wait for the disk delay nobody") {
  gated = 2;
  const auto pull = [this] { return node->pull(pull_header("T", 0)); };
  std::future<Command> first = std::async(std::launch::async, pull);
  std::future<Command> second = std::async(std::launch::async, pull);
  waiting.get_future().wait();
  // On the same connection, and so on the same data thread.
  CHECK(node->call(send_request(send_header("T"), "d")).code == 0);
  protocol::QueryConsumerOffsetRequest question;
  question.consumer_group = "g";
  question.topic = "T";
  CHECK(node->call(protocol::make_request(RequestCode::QueryConsumerOffset, question)).code == 0);
  CHECK(first.wait_for(0s) == std::future_status::timeout);
  release.set_value();
  CHECK(second.get().code == 0);
  const Command answer = first.get();
  CHECK(answer.code == 0);
  CHECK(field(answer, "nextBeginOffset") == "3");
  CHECK(bodies_of(answer) == Bodies{"a", "b", "c"});
}

TEST_CASE_FIXTURE(ColdNode, "cold pull: what the page cache has is read at once") {
  files.evict("nothing");
  const int before = log_reads;
  CHECK(bodies_of(node->pull(pull_header("T", 1))) == Bodies{"b", "c"});
  CHECK(log_reads == before);
}

TEST_CASE_FIXTURE(ColdNode,
                  "cold pull: an error of the disk is an answer, and passes over nothing") {
  files.plan(test::FileCall::Read, 1, std::errc::io_error, "commitlog", 1);
  const Command failed = node->pull(pull_header("T", 0));
  CHECK(failed.code == static_cast<std::int32_t>(ResponseCode::SystemError));
  CHECK(failed.remark.find("planned") != std::string::npos);
  CHECK(bodies_of(node->pull(pull_header("T", 0))) == Bodies{"a", "b", "c"});
}

}  // namespace
}  // namespace rmq::roles::broker
