#include <doctest/doctest.h>

#include <filesystem>
#include <ostream>
#include <string>
#include <thread>

#include "base/file_system.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/topics/topic_table.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

using protocol::ResponseCode;
using protocol::TopicConfig;

TopicConfig topic_config(std::string name, std::int32_t queues = 4) {
  TopicConfig topic;
  topic.topic = std::move(name);
  topic.read_queue_nums = topic.write_queue_nums = queues;
  return topic;
}

struct Fixture {
  Fixture() {
    config.broker_name = "broker-a";
    config.cluster_name = "c";
  }
  std::unique_ptr<TopicTable> open(bool store_has_data = false) {
    auto table = std::make_unique<TopicTable>(config, clock, FileSystem::posix(), path);
    table->on_change([this] { ++changes; });
    REQUIRE(table->load(store_has_data).has_value());
    return table;
  }
  Result<> try_open(bool store_has_data) {
    TopicTable table(config, clock, FileSystem::posix(), path);
    return table.load(store_has_data);
  }
  void write(const std::string& name, std::string_view text) {
    REQUIRE(FileSystem::posix().make_directories(path).has_value());
    REQUIRE(write_file_atomically(FileSystem::posix(), path + "/" + name, as_bytes(text)));
  }
  std::string file() { return *read_text_file(FileSystem::posix(), path + "/topics.json"); }

  test::TempDirectory directory;
  const std::string path = directory / "config";
  BrokerConfig config;
  ManualClock clock{1'700'000'000'000};
  int changes = 0;
};

TEST_CASE_FIXTURE(Fixture, "topic table: a new broker has the system topics, on disk at once") {
  const auto table = open();
  CHECK(table->find("TBW102")->perm == 7);
  CHECK(table->find("TBW102")->read_queue_nums == 8);
  CHECK(table->find("c")->read_queue_nums == 16);
  CHECK(table->find("c")->perm == 7);
  CHECK(table->find("broker-a")->read_queue_nums == 1);
  CHECK(table->find("BenchmarkTest")->write_queue_nums == 1024);
  CHECK(table->find("SCHEDULE_TOPIC_XXXX")->write_queue_nums == 18);
  CHECK(table->find("rmq_sys_REVIVE_LOG_c")->write_queue_nums == 8);
  CHECK(table->find("rmq_sys_SYNC_BROKER_MEMBER_broker-a")->perm == 1);
  for (const char* name :
       {"SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT", "c_REPLY_TOPIC", "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC", "rmq_sys_wheel_timer"}) {
    INFO(name);
    CHECK(table->find(name)->write_queue_nums == 1);
    CHECK(table->find(name)->perm == 6);
  }
  CHECK_FALSE(table->contains("RMQ_SYS_TRACE_TOPIC"));
  CHECK(table->is_system("c"));
  CHECK(table->is_system("broker-a"));
  CHECK(table->is_system("TBW102"));
  CHECK_FALSE(table->is_system("T"));
  CHECK(file().find("\"TBW102\":{") != std::string::npos);
  CHECK(table->saved().value() == table->version());
}

TEST_CASE_FIXTURE(Fixture, "topic table: switches of the system topics") {
  config.auto_create_topic_enable = false;
  config.cluster_topic_enable = false;
  config.broker_topic_enable = false;
  config.trace_topic_enable = true;
  const auto table = open();
  CHECK_FALSE(table->contains("TBW102"));
  CHECK(table->find("c")->perm == 1);
  CHECK(table->find("broker-a")->perm == 1);
  CHECK(table->contains("RMQ_SYS_TRACE_TOPIC"));
  CHECK(table->is_system("RMQ_SYS_TRACE_TOPIC"));
}

TEST_CASE_FIXTURE(Fixture, "topic table: the file is Java's, byte for byte") {
  write("topics.json", "{}");
  auto table = open();
  const auto before = table->contents().first;
  for (const auto& [name, topic] : *before) {
    if (name != "TBW102") CHECK(table->erase(name));
  }
  TopicConfig retry = topic_config("%RETRY%group", 1);
  table->create_if_absent(retry);
  const auto version = table->data_version();
  REQUIRE(table->save_if_changed());
  CHECK(file() ==
        "{\n\t\"dataVersion\":{\n\t\t\"counter\":" + std::to_string(version.counter) +
            ",\n\t\t\"stateVersion\":0,\n\t\t\"timestamp\":1700000000000\n\t},\n"
            "\t\"topicConfigTable\":{\n"
            "\t\t\"%RETRY%group\":{\n\t\t\t\"attributes\":{},\n\t\t\t\"order\":false,\n"
            "\t\t\t\"perm\":6,\n\t\t\t\"readQueueNums\":1,\n"
            "\t\t\t\"topicFilterType\":\"SINGLE_TAG\",\n\t\t\t\"topicName\":\"%RETRY%group\",\n"
            "\t\t\t\"topicSysFlag\":0,\n\t\t\t\"writeQueueNums\":1\n\t\t},\n"
            "\t\t\"TBW102\":{\n\t\t\t\"attributes\":{},\n\t\t\t\"order\":false,\n"
            "\t\t\t\"perm\":7,\n\t\t\t\"readQueueNums\":8,\n"
            "\t\t\t\"topicFilterType\":\"SINGLE_TAG\",\n\t\t\t\"topicName\":\"TBW102\",\n"
            "\t\t\t\"topicSysFlag\":0,\n\t\t\t\"writeQueueNums\":8\n\t\t}\n\t}\n}");
}

TEST_CASE_FIXTURE(Fixture, "topic table: reads what Java wrote") {
  const std::string golden = std::string(RMQ_TEST_SOURCE_DIR) + "/golden/data/config_topics.json";
  write("topics.json", *read_text_file(FileSystem::posix(), golden));
  const auto table = open(true);
  CHECK(table->data_version() == protocol::DataVersion{2, 1'700'000'000'000, 5});
  const TopicConfig topic = *table->find("TopicAttributes");
  CHECK(topic.order);
  CHECK(topic.write_queue_nums == 4);
  CHECK(topic.attributes == std::map<std::string, std::string>{{"+message.type", "FIFO"}});
  CHECK(table->find("%RETRY%group")->read_queue_nums == 1);
  CHECK(table->contains("BenchmarkTest"));
}

TEST_CASE_FIXTURE(Fixture, "topic table: a send creates a topic from its model") {
  const auto table = open();
  const auto created = table->create_in_send("T", "TBW102", 4, 0, "peer");
  REQUIRE(created.has_value());
  CHECK(*created == topic_config("T", 4));  // perm without INHERIT
  CHECK(table->find("T") == created);
  CHECK(changes == 1);
  CHECK(table->data_version().counter == 1);

  CHECK(table->create_in_send("Many", "TBW102", 100, 1, "peer")->write_queue_nums == 8);
  CHECK(table->find("Many")->topic_sys_flag == 1);
  CHECK(table->create_in_send("None", "TBW102", -3, 0, "peer")->write_queue_nums == 0);
  // One that exists is given as it is.
  CHECK(table->create_in_send("T", "TBW102", 8, 0, "peer") == created);
  CHECK(changes == 3);
  CHECK_FALSE(table->create_in_send("X", "BenchmarkTest", 4, 0, "peer").has_value());
  CHECK_FALSE(table->create_in_send("X", "unknown", 4, 0, "peer").has_value());
  CHECK_FALSE(table->contains("X"));
}

TEST_CASE_FIXTURE(Fixture,
                  "topic table: TBW102 of an earlier life is no model when creation is off") {
  open();
  config.auto_create_topic_enable = false;
  const auto table = open();
  REQUIRE(table->contains("TBW102"));
  CHECK_FALSE(table->create_in_send("T", "TBW102", 4, 0, "peer").has_value());
}

TEST_CASE_FIXTURE(Fixture, "topic table: a created topic is unsaved until it is on disk") {
  const auto table = open();
  table->create_in_send("T", "TBW102", 4, 0, "peer");
  const auto version = table->unsaved("T");
  REQUIRE(version.has_value());
  CHECK(table->saved().value() < *version);
  CHECK_FALSE(table->unsaved("BenchmarkTest").has_value());

  bool reached = false;
  table->saved().when_at_least(*version, [&](Result<> result) { reached = result.has_value(); });
  CHECK_FALSE(reached);
  REQUIRE(table->save_if_changed());
  CHECK(reached);
  CHECK_FALSE(table->unsaved("T").has_value());
  CHECK(open(true)->contains("T"));
}

TEST_CASE_FIXTURE(Fixture,
                  "topic table: a failed save keeps the topic unsaved, the next one saves it") {
  const auto table = open();
  table->create_in_send("T", "TBW102", 4, 0, "peer");
  std::filesystem::rename(path, path + ".away");
  std::filesystem::copy_file(path + ".away/topics.json", path);  // a file where the directory was
  CHECK_FALSE(table->save_if_changed());
  CHECK(table->unsaved("T").has_value());
  std::filesystem::remove(path);
  REQUIRE(table->save_if_changed());
  CHECK_FALSE(table->unsaved("T").has_value());
  CHECK(open(true)->contains("T"));
}

TEST_CASE_FIXTURE(Fixture, "topic table: update checks names, system topics and attributes") {
  const auto table = open();
  const auto refusal = [&](const std::string& name, std::string_view attributes = "") {
    const auto updated = table->update(topic_config(name), attributes);
    REQUIRE_FALSE(updated.has_value());
    return updated.error();
  };
  CHECK(refusal("a b").code == ResponseCode::InvalidParameter);
  CHECK(refusal("TBW102").detail == "The topic[TBW102] is conflict with system topic.");
  CHECK(refusal("broker-a").code == ResponseCode::InvalidParameter);
  CHECK(refusal("T", "+message.type=MIXED").detail == "MIXED message type is not supported.");
  CHECK(refusal("T", "+colour=red").code == ResponseCode::SystemError);
  CHECK(changes == 0);
  CHECK_FALSE(table->contains("T"));

  REQUIRE(table->update(topic_config("T"), "+message.type=FIFO"));
  CHECK(table->find("T")->attributes ==
        std::map<std::string, std::string>{{"message.type", "FIFO"}});
  CHECK(changes == 1);
  // Attributes stay when the request has none; the same again changes nothing.
  REQUIRE(table->update(topic_config("T"), ""));
  CHECK(changes == 1);
  REQUIRE(table->update(topic_config("T", 8), ""));
  CHECK(changes == 2);
  CHECK(table->find("T")->attributes.size() == 1);
  REQUIRE(table->update(topic_config("T", 8), "-message.type"));
  CHECK(table->find("T")->attributes.empty());
  // An update of a topic on disk keeps no sender waiting.
  REQUIRE(table->save_if_changed());
  REQUIRE(table->update(topic_config("T", 9), ""));
  CHECK_FALSE(table->unsaved("T").has_value());
}

TEST_CASE_FIXTURE(Fixture, "topic table: the broker's own topics, order flag, deletion") {
  const auto table = open();
  TopicConfig retry = topic_config("%RETRY%g", 1);
  CHECK(table->create_if_absent(retry) == retry);
  CHECK(changes == 1);
  CHECK(table->create_if_absent(topic_config("%RETRY%g", 5)) == retry);
  CHECK(changes == 1);
  retry.order = true;
  CHECK(table->create_if_absent(retry).order);
  CHECK(changes == 2);
  CHECK(table->is_order_topic("%RETRY%g"));

  table->create_if_absent(topic_config("T"));
  table->mark_order_topics({"T", "unknown", "%RETRY%g"});
  CHECK(table->is_order_topic("T"));
  CHECK(changes == 4);
  table->mark_order_topics({"T"});
  CHECK(changes == 4);

  CHECK(table->erase("T"));
  CHECK_FALSE(table->erase("T"));
  CHECK(changes == 5);
  CHECK_FALSE(table->unsaved("T").has_value());
  REQUIRE(table->save_if_changed());
  CHECK_FALSE(open(true)->contains("T"));
}

TEST_CASE_FIXTURE(Fixture, "topic table: changed topics are taken once") {
  const auto table = open();
  table->create_if_absent(topic_config("A"));
  table->create_if_absent(topic_config("B"));
  table->create_if_absent(topic_config("Gone"));
  table->erase("Gone");
  CHECK(table->take_changed().size() == 2);
  CHECK(table->take_changed().empty());
}

TEST_CASE_FIXTURE(Fixture, "topic table: lost topics of a store with messages stop the broker") {
  CHECK(try_open(true).error().code == BrokerErrc::MetadataLost);  // neither file
  write("topics.json", "");
  CHECK(try_open(true).error().code == BrokerErrc::MetadataLost);
  write("topics.json", "{\"dataVersion\":");
  write("topics.json.bak", "garbage");
  const Result<> lost = try_open(true);
  CHECK(lost.error().code == BrokerErrc::MetadataLost);
  CHECK(lost.error().detail.find(path + "/topics.json") != std::string::npos);
  CHECK(*read_text_file(FileSystem::posix(), path + "/topics.json.bak") == "garbage");
  // The way out that the error names.
  write("topics.json", "{}");
  CHECK(try_open(true).has_value());
}

TEST_CASE_FIXTURE(Fixture, "topic table: a topic with batch queues stops the broker") {
  const char* key = "";
  SUBCASE("as Java keeps it") { key = "queue.type"; }
  SUBCASE("as some tools write it") { key = "+queue.type"; }
  const auto text = [key](std::string_view type) {
    return std::string("{\"topicConfigTable\":{\"B\":{\"attributes\":{\"") + key + "\":\"" +
           std::string(type) + "\"},\"topicName\":\"B\"}}}";
  };
  write("topics.json", text("BatchCQ"));
  const Result<> loaded = try_open(true);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == BrokerErrc::NotSupported);
  CHECK(loaded.error().detail.find("topic B ") != std::string::npos);
  write("topics.json", text("SimpleCQ"));
  CHECK(try_open(true).has_value());
}

TEST_CASE_FIXTURE(Fixture, "topic table: unreadable topics of an empty store are replaced") {
  write("topics.json", "garbage");
  CHECK(open()->contains("TBW102"));
  CHECK(file().find("TBW102") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "topic table: creation from many threads at once") {
  const auto table = open();
  std::vector<std::thread> senders;
  std::atomic<int> created{0};
  std::atomic<bool> done{false};
  table->on_change([&] { ++created; });
  std::thread saver([&] {
    while (!done) (void)table->save_if_changed();
  });
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const std::string name = "T" + std::to_string(i);
        CHECK(table->create_in_send(name, "TBW102", 4, 0, "peer").has_value());
        // Whoever sees the topic either must wait or finds it on disk.
        if (!table->unsaved(name)) CHECK(file().find('"' + name + '"') != std::string::npos);
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  done = true;
  saver.join();
  REQUIRE(table->save_if_changed());
  CHECK(created == 20);
  CHECK(table->data_version().counter == 20);
  for (int i = 0; i < 20; ++i) CHECK(open(true)->contains("T" + std::to_string(i)));
}

}  // namespace
}  // namespace rmq::roles::broker
