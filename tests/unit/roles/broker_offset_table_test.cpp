#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <thread>

#include "base/file_system.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/offsets/offset_table.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

struct Fixture {
  std::unique_ptr<OffsetTable> open(bool store_has_data = true) {
    auto table =
        std::make_unique<OffsetTable>(clock, FileSystem::posix(), path + "/consumerOffset.json");
    REQUIRE(table->load(store_has_data).has_value());
    return table;
  }
  void write(std::string_view text) {
    REQUIRE(FileSystem::posix().make_directories(path).has_value());
    REQUIRE(
        write_file_atomically(FileSystem::posix(), path + "/consumerOffset.json", as_bytes(text)));
  }
  std::string file() { return *read_text_file(FileSystem::posix(), path + "/consumerOffset.json"); }
  static std::string golden(const std::string& name) {
    return *read_text_file(FileSystem::posix(),
                           std::string(RMQ_TEST_SOURCE_DIR) + "/golden/data/" + name);
  }

  test::TempDirectory directory;
  const std::string path = directory / "config";
  ManualClock clock{1'700'000'000'000};
};

TEST_CASE_FIXTURE(Fixture, "offset table: commits are found, saved and loaded") {
  auto table = open();
  CHECK_FALSE(table->find("g", "T", 0).has_value());
  table->commit("peer", "g", "T", 0, QueueOffset{12});
  table->commit("peer", "g", "T", 3, QueueOffset{9});
  table->commit("peer", "h", "T", 0, QueueOffset{1});
  CHECK(table->find("g", "T", 0) == QueueOffset{12});
  CHECK(table->find("g", "T", 3) == QueueOffset{9});
  CHECK_FALSE(table->find("g", "T", 1).has_value());
  CHECK_FALSE(table->find("T", "g", 0).has_value());
  REQUIRE(table->save_if_changed());

  table = open();
  CHECK(table->find_all("g", "T") ==
        OffsetTable::QueueOffsets{{0, QueueOffset{12}}, {3, QueueOffset{9}}});
  CHECK(table->find("h", "T", 0) == QueueOffset{1});
  CHECK(table->find_all("x", "T").empty());
}

TEST_CASE_FIXTURE(Fixture, "offset table: a smaller offset is taken, as in Java") {
  const auto table = open();
  table->commit("peer", "g", "T", 0, QueueOffset{12});
  table->commit("peer", "g", "T", 0, QueueOffset{5});
  CHECK(table->find("g", "T", 0) == QueueOffset{5});
}

TEST_CASE_FIXTURE(Fixture, "offset table: the bytes are Java's, compact and as the file") {
  write(golden("config_consumer_offset.json"));
  const auto table = open();
  CHECK(table->encode_compact() == golden("consumer_offset.json"));
  CHECK(table->find("group", "TopicTest", 3) == QueueOffset{4294967299});

  // A change and back: the same content with the next version.
  table->commit("peer", "group", "TopicTest", 0, QueueOffset{13});
  table->commit("peer", "group", "TopicTest", 0, QueueOffset{12});
  REQUIRE(table->save_if_changed());
  std::string expected = golden("config_consumer_offset.json");
  expected.replace(expected.find("\"counter\":7"), 11, "\"counter\":8");
  CHECK(file() == expected);
}

TEST_CASE_FIXTURE(Fixture, "offset table: saved only when something changed") {
  const auto table = open();
  REQUIRE(table->save_if_changed());
  CHECK_FALSE(*FileSystem::posix().exists(path + "/consumerOffset.json"));
  table->commit("peer", "g", "T", 0, QueueOffset{1});
  REQUIRE(table->save_if_changed());
  const std::string first = file();
  clock.advance(std::chrono::seconds(5));
  table->commit("peer", "g", "T", 0, QueueOffset{1});  // no change
  REQUIRE(table->save_if_changed());
  CHECK(file() == first);
  table->commit("peer", "g", "T", 0, QueueOffset{2});
  REQUIRE(table->save_if_changed());
  CHECK(file() != first);
}

TEST_CASE_FIXTURE(Fixture, "offset table: erased by topic and by group") {
  const auto table = open();
  for (const char* group : {"g", "h"}) {
    for (const char* topic : {"T", "U"}) table->commit("peer", group, topic, 0, QueueOffset{1});
  }
  CHECK(table->topics_of("g") == std::vector<std::string>{"T", "U"});
  CHECK(table->groups_of("T") == std::vector<std::string>{"g", "h"});
  table->erase_topic("T");
  CHECK(table->topics_of("g") == std::vector<std::string>{"U"});
  CHECK(table->groups_of("T").empty());
  table->erase_group("g");
  CHECK(table->topics_of("g").empty());
  CHECK(table->find("h", "U", 0) == QueueOffset{1});
}

TEST_CASE_FIXTURE(Fixture, "offset table: offsets past the end of a truncated queue are cut") {
  const auto table = open();
  table->commit("peer", "g", "T", 0, QueueOffset{12});
  table->commit("peer", "g", "T", 1, QueueOffset{3});
  const auto end = [](std::string_view topic, QueueId) {
    return topic == "T" ? QueueOffset{10} : QueueOffset{0};
  };
  CHECK(table->clamp(end) == 1);
  CHECK(table->find("g", "T", 0) == QueueOffset{10});
  CHECK(table->find("g", "T", 1) == QueueOffset{3});
  CHECK(table->clamp(end) == 0);
}

TEST_CASE_FIXTURE(Fixture, "offset table: what cannot be read") {
  write("{\"offsetTable\":{\"T@g\":{0:");
  OffsetTable lost(clock, FileSystem::posix(), path);
  CHECK(lost.load(true).error().code == BrokerErrc::MetadataLost);
  CHECK(open(false)->topics_of("g").empty());
  // Entries that mean nothing are passed over, a key without a group stays as it is.
  write(R"({"offsetTable":{"T@g":{"0":"7","x":1,2:null},"odd":{0:1},"n":null}})");
  const auto table = open();
  CHECK(table->find_all("g", "T") == OffsetTable::QueueOffsets{{0, QueueOffset{7}}});
  CHECK(table->encode_compact().find("\"odd\":{0:1}") != std::string::npos);
  CHECK(table->groups_of("odd").empty());
}

TEST_CASE_FIXTURE(Fixture, "offset table: no commit is lost between saves of another thread") {
  const auto table = open();
  std::atomic<bool> done{false};
  std::thread saver([&] {
    while (!done) CHECK(table->save_if_changed());
  });
  std::vector<std::thread> consumers;
  for (int t = 0; t < 4; ++t) {
    consumers.emplace_back([&, group = "g" + std::to_string(t)] {
      for (int i = 1; i <= 2000; ++i) table->commit("peer", group, "T", i % 8, QueueOffset{i});
    });
  }
  for (std::thread& consumer : consumers) consumer.join();
  done = true;
  saver.join();
  REQUIRE(table->save_if_changed());
  const auto loaded = open();
  for (int t = 0; t < 4; ++t) {
    for (int queue = 0; queue < 8; ++queue) {
      const QueueOffset last{queue == 0 ? 2000 : 1992 + queue};  // 2000 is divisible by 8
      CHECK(loaded->find("g" + std::to_string(t), "T", queue) == last);
    }
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "offset table: a slave follows its master, but not behind its own commits") {
  auto master = open();
  master->commit("peer", "g", "T", 0, QueueOffset{5});
  master->commit("peer", "g", "T", 1, QueueOffset{7});
  master->commit("peer", "h", "T", 0, QueueOffset{1});
  OffsetTable slave(clock, FileSystem::posix(), path + "/slave.json");
  REQUIRE(slave.load(false));
  slave.keep_local_commits(true);
  const auto follow = [&] {
    const auto commits = slave.follow(master->encode_compact());
    REQUIRE(commits);
    return *commits;
  };
  CHECK(follow().empty());
  CHECK(slave.find_all("g", "T") ==
        OffsetTable::QueueOffsets{{0, QueueOffset{5}}, {1, QueueOffset{7}}});
  const std::int64_t changes = slave.changes();
  CHECK(follow().empty());
  CHECK(slave.changes() == changes);

  // A consumer goes on here.
  slave.commit("peer", "g", "T", 0, QueueOffset{9});
  slave.commit("peer", "new", "T", 0, QueueOffset{2});
  master->commit("peer", "g", "T", 1, QueueOffset{3});  // back, by an administrator
  auto commits = follow();
  REQUIRE(commits.size() == 2);
  CHECK(slave.find("g", "T", 0) == QueueOffset{9});
  CHECK(slave.find("g", "T", 1) == QueueOffset{3});
  CHECK(slave.find("new", "T", 0) == QueueOffset{2});

  // One that the master has overtaken is forgotten; one that it has taken, too.
  master->commit("peer", "g", "T", 0, QueueOffset{10});
  commits = follow();
  REQUIRE(commits.size() == 1);
  CHECK(commits[0].group == "new");
  slave.given_back(commits[0]);
  master->commit("peer", "new", "T", 0, QueueOffset{2});
  CHECK(follow().empty());
  master->commit("peer", "g", "T", 0, QueueOffset{4});
  CHECK(follow().empty());
  CHECK(slave.find("g", "T", 0) == QueueOffset{4});

  // What was deleted there is deleted here.
  master->erase_group("g");
  CHECK(follow().empty());
  CHECK(slave.find_all("g", "T").empty());
  CHECK(slave.find("h", "T", 0) == QueueOffset{1});
  CHECK_FALSE(slave.follow("{"));
}

TEST_CASE_FIXTURE(Fixture, "offset table: what was committed on a slave outlives its process") {
  auto master = open();
  master->commit("peer", "g", "T", 0, QueueOffset{5});
  const auto open_slave = [&](bool follows = true) {
    auto slave = std::make_unique<OffsetTable>(clock, FileSystem::posix(), path + "/slave.json",
                                               path + "/slave-commits.json");
    REQUIRE(slave->load(false));
    slave->keep_local_commits(follows);
    return slave;
  };
  const auto commits_of = [&](OffsetTable& slave) {
    const auto commits = slave.follow(master->encode_compact());
    REQUIRE(commits);
    return *commits;
  };
  auto slave = open_slave();
  slave->commit("peer", "g", "T", 0, QueueOffset{9});
  REQUIRE(slave->save_if_changed());
  // Only what was saved later is gone.
  slave->commit("peer", "g", "T", 1, QueueOffset{1});
  slave = open_slave();
  CHECK(slave->find("g", "T", 0) == QueueOffset{9});
  auto commits = commits_of(*slave);
  REQUIRE(commits.size() == 1);
  CHECK(commits[0].offset == QueueOffset{9});
  CHECK(slave->find("g", "T", 0) == QueueOffset{9});

  SUBCASE("until the master has it") {
    slave->given_back(commits[0]);
    REQUIRE(slave->save_if_changed());
    slave = open_slave();
    CHECK(commits_of(*slave).empty());
    CHECK(slave->find("g", "T", 0) == QueueOffset{5});
  }
  SUBCASE("not when the table was saved without it") {
    REQUIRE(FileSystem::posix().remove(path + "/slave.json"));
    slave = open_slave();
    CHECK(slave->find("g", "T", 0) == QueueOffset{9});
  }
  SUBCASE("or the slave is the master") {
    slave = open_slave(false);
    CHECK(slave->find("g", "T", 0) == QueueOffset{9});
    REQUIRE(slave->save_if_changed());
    slave = open_slave();
    CHECK(commits_of(*slave).empty());
  }
  SUBCASE("a damaged file is as good as none") {
    REQUIRE(
        write_file_atomically(FileSystem::posix(), path + "/slave-commits.json", as_bytes("{")));
    slave = open_slave();
    CHECK(commits_of(*slave).empty());
  }
}

}  // namespace
}  // namespace rmq::roles::broker
