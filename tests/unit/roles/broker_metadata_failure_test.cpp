// What becomes of the broker's tables when files under config/ fail, are gone, or are older than
// the log.
#include <ostream>

#include "roles/broker/broker_errc.h"
#include "roles/broker/metadata_saver.h"
#include "tests/support/broker_node.h"
#include "tests/support/failing_file_system.h"

namespace rmq::roles::broker {
namespace {

using test::FailingFileSystem;
using test::FileCall;

protocol::TopicConfig topic_named(const char* name) {
  protocol::TopicConfig topic;
  topic.topic = name;
  return topic;
}

std::string config_path(const Fixture& fixture, const std::string& name) {
  return fixture.directory / ("config/" + name);
}

}  // namespace

TEST_CASE("metadata saver: a table that cannot be saved holds up no other, and is tried again") {
  std::atomic<int> failures{0};
  std::atomic<int> saves{0};
  std::promise<void> again;
  const auto broken = [&]() -> Result<> {
    if (++failures == 2) again.set_value();
    return fail(std::make_error_code(std::errc::no_space_on_device), "topics.json");
  };
  const auto sound = [&]() -> Result<> {
    ++saves;
    return {};
  };
  MetadataSaver saver({broken, sound}, {broken, sound}, 1h);
  saver.start();
  saver.wake();
  again.get_future().wait();
  CHECK(saves >= 1);
  saver.stop();
  CHECK(saves >= failures - 2);
}

TEST_CASE("topic table: a store with topics that cannot be served is left as it is") {
  test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  REQUIRE(files.make_directories(directory / "config"));
  const std::string text =
      "{\"topicConfigTable\":{\"B\":{\"attributes\":{\"queue.type\":\"BatchCQ\"}}}}";
  REQUIRE(write_file_atomically(files, directory / "config/topics.json", as_bytes(text)));
  net::IoThreads threads;
  threads.start();
  Broker broker(threads, test_config(directory.path()), files, Clock::system());
  const Result<> started = broker.start();
  threads.stop();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == BrokerErrc::NotSupported);
  CHECK(*files.list(directory.path()) == std::vector<std::string>{"config"});
  CHECK(*files.list(directory / "config") == std::vector<std::string>{"topics.json"});
}

TEST_CASE("topic table: who waits for a topic to be on disk is told why it is not") {
  test::TempDirectory directory;
  FailingFileSystem files;
  ManualClock clock;
  BrokerConfig config;
  TopicTable table(config, clock, files, directory / "config");
  REQUIRE(table.load(false));
  table.create_if_absent(topic_named("T"));
  std::optional<Result<>> told;
  REQUIRE(table.saved().when_at_least(table.version(), [&](Result<> outcome) { told = outcome; }));
  files.plan(FileCall::Write, 1, std::errc::no_space_on_device, "topics.json", 1);
  CHECK_FALSE(table.save_if_changed());
  REQUIRE(told);
  REQUIRE_FALSE(*told);
  CHECK(told->error().code == BrokerErrc::NotSaved);
  CHECK(told->error().detail.find("topics.json") != std::string::npos);
  CHECK(table.unsaved("T"));
  // The next save is for those who wait then.
  told.reset();
  table.saved().when_at_least(table.version(), [&](Result<> outcome) { told = outcome; });
  REQUIRE(table.save_if_changed());
  CHECK(told->has_value());
  CHECK_FALSE(table.unsaved("T"));
}

TEST_CASE_FIXTURE(Fixture,
                  "topics: one that only the lost file had is made again from its queues") {
  node->broker.topics.create_if_absent(topic_named("first"));
  REQUIRE(node->broker.topics.save_if_changed());
  SendMessageRequest header = send_header("T");
  header.queue_id = 2;
  REQUIRE(node->call(send_request(header, "x")).code == 0);
  node->settle();
  node->broker.topics.create_if_absent(topic_named("empty"));
  REQUIRE(node->broker.topics.save_if_changed());
  const std::string file = config_path(*this, "topics.json");
  std::string lost;
  SUBCASE("the file is gone") {}
  SUBCASE("the file is damaged") { lost = "{\"dataVersion\":"; }
  node.reset();
  // As if the backup were older than both.
  std::string text = *read_text_file(FileSystem::posix(), file);
  const std::size_t at = text.find("\"T\":{");
  REQUIRE(at != std::string::npos);
  text.replace(at, 4, "\"U\":");
  REQUIRE(write_file_atomically(FileSystem::posix(), file + ".bak", as_bytes(text)));
  if (lost.empty()) {
    REQUIRE(FileSystem::posix().remove(file));
  } else {
    REQUIRE(write_file_atomically(FileSystem::posix(), file, as_bytes(lost)));
  }
  node = std::make_unique<Node>(test_config(directory.path()));
  const auto found = node->broker.topics.find("T");
  REQUIRE(found);
  CHECK(found->write_queue_nums == 3);
  CHECK(found->read_queue_nums == 3);
  PullMessageRequest pull = pull_header("T", 0);
  pull.queue_id = 2;
  CHECK(records_of(node->pull(pull)).size() == 1);
  // Nothing is made up while the file itself can be read.
  node->broker.topics.erase("T");
  restart();
  CHECK_FALSE(node->broker.topics.contains("T"));
}

TEST_CASE_FIXTURE(Fixture, "offsets: past the end of their queue they are cut at the start") {
  for (const char* body : {"a", "b"})
    REQUIRE(node->call(send_request(send_header("T"), body)).code == 0);
  node->settle();
  // As after a power cut under async flush, which took messages that were consumed.
  const auto forward = OffsetTable::Direction::Forward;
  node->broker.offsets.commit("", "g", "T", 0, QueueOffset{7}, forward);
  node->broker.offsets.commit("", "g", "T", 1, QueueOffset{1}, forward);
  node->broker.offsets.commit("", "h", "T", 0, QueueOffset{1}, forward);
  node->broker.offsets.commit("", "g", "unknown", 0, QueueOffset{3}, forward);
  restart();
  CHECK(node->broker.offsets.find("g", "T", 0) == QueueOffset{2});
  CHECK(node->broker.offsets.find("g", "T", 1) == QueueOffset{0});
  CHECK(node->broker.offsets.find("h", "T", 0) == QueueOffset{1});
  CHECK(node->broker.offsets.find("g", "unknown", 0) == QueueOffset{0});
}

}  // namespace rmq::roles::broker
