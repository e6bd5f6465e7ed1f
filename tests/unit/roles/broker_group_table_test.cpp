#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "base/file_system.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/groups/group_table.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

using protocol::ResponseCode;
using protocol::SubscriptionGroupConfig;

struct Fixture {
  std::unique_ptr<GroupTable> open(bool store_has_data = false) {
    auto table = std::make_unique<GroupTable>(config, clock, FileSystem::posix(), path);
    table->on_change([this] { ++changes; });
    REQUIRE(table->load(store_has_data).has_value());
    return table;
  }
  void write(const std::string& name, std::string_view text) {
    REQUIRE(FileSystem::posix().make_directories(path).has_value());
    REQUIRE(write_file_atomically(FileSystem::posix(), path + "/" + name, as_bytes(text)));
  }

  test::TempDirectory directory;
  const std::string path = directory / "config";
  BrokerConfig config;
  ManualClock clock{1'700'000'000'000};
  int changes = 0;
};

TEST_CASE_FIXTURE(Fixture, "group table: the groups of every broker") {
  const auto table = open();
  for (const char* name :
       {"TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
        "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER", "CID_RMQ_SYS_TRANS"}) {
    CHECK(table->contains(name));
  }
  CHECK(table->contents().groups.size() == 8);
  CHECK_FALSE(table->find("g").has_value());
}

TEST_CASE_FIXTURE(Fixture, "group table: clients create groups when they may") {
  auto table = open();
  const auto created = table->find_or_create("g");
  REQUIRE(created.has_value());
  CHECK(created->retry_max_times == 16);
  CHECK(table->find("g") == created);
  CHECK(changes == 1);
  CHECK(table->find_or_create("g") == created);
  CHECK(changes == 1);
  CHECK_FALSE(table->find_or_create("a b").has_value());
  CHECK_FALSE(table->find_or_create("").has_value());
  REQUIRE(table->save_if_changed());
  CHECK(open(true)->contains("g"));

  config.auto_create_subscription_group = false;
  table = open();
  CHECK(table->find_or_create("g").has_value());  // it exists
  CHECK_FALSE(table->find_or_create("h").has_value());
  CHECK(table->find_or_create("CID_RMQ_SYS_X").has_value());
}

TEST_CASE_FIXTURE(Fixture, "group table: administrators' changes") {
  const auto table = open();
  SubscriptionGroupConfig config_g;
  config_g.group = "g";
  config_g.retry_max_times = 3;
  REQUIRE(table->update(config_g));
  CHECK(table->find("g") == config_g);
  CHECK(table->data_version().counter == 1);
  CHECK(table->saved().value() < table->version());
  REQUIRE(table->save_if_changed());
  CHECK(table->saved().value() == table->version());
  CHECK(open(true)->find("g") == config_g);

  config_g.group = "a b";
  CHECK(table->update(config_g).error().code == ResponseCode::InvalidParameter);
  config_g.group = "g";
  config_g.attributes = {{"+x", "1"}};
  CHECK(table->update(config_g).error().code == ResponseCode::SystemError);

  CHECK(table->erase("g"));
  CHECK_FALSE(table->erase("g"));
}

TEST_CASE_FIXTURE(Fixture, "group table: reads and writes Java's file") {
  const std::string golden =
      std::string(RMQ_TEST_SOURCE_DIR) + "/golden/data/config_subscription_group.json";
  write("subscriptionGroup.json", *read_text_file(FileSystem::posix(), golden));
  auto table = open(true);
  CHECK(table->find("group")->retry_max_times == 5);
  CHECK(table->forbidden("group", "TopicTest") == 1);
  CHECK(table->forbidden("group", "Other") == 0);
  CHECK(table->forbidden("other", "TopicTest") == 0);
  CHECK(table->data_version() == protocol::DataVersion{0, 1'700'000'000'000, 3});

  table->find_or_create("g");
  REQUIRE(table->save_if_changed());
  table = open(true);
  CHECK(table->contains("g"));
  CHECK(table->forbidden("group", "TopicTest") == 1);
  const std::string text = *read_text_file(FileSystem::posix(), path + "/subscriptionGroup.json");
  CHECK(text.starts_with("{\n\t\"dataVersion\":{\n\t\t\"counter\":4,\n"));
  CHECK(text.find("\"forbiddenTable\":{\n\t\t\"group\":{\n\t\t\t\"TopicTest\":1\n\t\t}\n\t}") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture,
                  "group table: unreadable groups of a store with messages stop the broker") {
  write("subscriptionGroup.json", "garbage");
  GroupTable table(config, clock, FileSystem::posix(), path);
  CHECK(table.load(true).error().code == BrokerErrc::MetadataLost);
  CHECK(open()->contains("TOOLS_CONSUMER"));
}

}  // namespace
}  // namespace rmq::roles::broker
