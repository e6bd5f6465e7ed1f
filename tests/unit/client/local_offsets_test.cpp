#include "client/local_offsets.h"

#include <doctest/doctest.h>

#include <ostream>

#include "tests/support/fake_cluster.h"
#include "tests/support/temp_directory.h"

using namespace rmq;
using namespace rmq::client;
using test::FakeCluster;

namespace {

struct Setup {
  test::TempDirectory directory;
  FakeCluster cluster;
  const std::string path = directory.path() + "/10.0.0.1@7/g/offsets.json";
  const MessageQueue queue{"T", "a", 3};

  std::unique_ptr<LocalOffsets> open() {
    return std::make_unique<LocalOffsets>(FileSystem::posix(), directory.path(), "10.0.0.1@7", "g");
  }
  Result<std::optional<QueueOffset>> load(LocalOffsets& offsets) {
    return cluster.run<Result<std::optional<QueueOffset>>>([&] { return offsets.load(queue); });
  }
  std::optional<QueueOffset> found(LocalOffsets& offsets) {
    const auto loaded = load(offsets);
    REQUIRE(loaded.has_value());
    return *loaded;
  }
  void persist(LocalOffsets& offsets) {
    const std::vector<MessageQueue> queues{queue};
    net::run_blocking<void>(cluster.threads.control(), [&] { return offsets.persist(queues); });
  }
  void write(const std::string& name, std::string_view text) {
    auto& files = FileSystem::posix();
    REQUIRE(files.make_directories(parent_directory(name)).has_value());
    REQUIRE(write_file_atomically(files, name, as_bytes(text)).has_value());
  }
};

}  // namespace

TEST_CASE("offsets are found again, and only go forwards unless they are set") {
  Setup setup;
  auto offsets = setup.open();
  CHECK(offsets->path() == setup.path);
  CHECK(setup.found(*offsets) == std::nullopt);
  offsets->advance(setup.queue, QueueOffset{5});
  offsets->advance(setup.queue, QueueOffset{4});
  setup.persist(*offsets);
  offsets = setup.open();
  CHECK(setup.found(*offsets) == QueueOffset{5});
  offsets->set(setup.queue, QueueOffset{2});
  setup.persist(*offsets);
  offsets = setup.open();
  CHECK(setup.found(*offsets) == QueueOffset{2});
}

// As OffsetSerializeWrapper.toJson(true) of RocketMQ 5.3.3 writes it.
std::string java_file(std::string_view offset) {
  return "{\n\t\"offsetTable\":{{\n\t\t\t\"brokerName\":\"a\",\n\t\t\t\"queueId\":3,\n\t\t\t"
         "\"topic\":\"T\"\n\t\t}:" +
         std::string(offset) +
         ",{\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":0,\n\t\t\t\"topic\":\"U\"\n\t\t}:7"
         "\n\t}\n}";
}

TEST_CASE("the file is Java's, byte by byte; what it has of other queues is kept") {
  Setup setup;
  setup.write(setup.path, java_file("42"));
  auto offsets = setup.open();
  CHECK(setup.found(*offsets) == QueueOffset{42});
  offsets->advance(setup.queue, QueueOffset{43});
  setup.persist(*offsets);
  CHECK(read_text_file(FileSystem::posix(), setup.path) == java_file("43"));
  // The version before is beside it.
  CHECK(read_text_file(FileSystem::posix(), setup.path + ".bak") == java_file("42"));
}

TEST_CASE("a damaged file gives way to the version before; when both are, nothing is overwritten") {
  Setup setup;
  setup.write(setup.path, "{\"offsetTable\":{{");
  setup.write(setup.path + ".bak",
              R"({"offsetTable":{{"brokerName":"a","queueId":3,"topic":"T"}:9}})");
  auto offsets = setup.open();
  CHECK(setup.found(*offsets) == QueueOffset{9});

  setup.write(setup.path + ".bak", "{");
  offsets = setup.open();
  const auto failed = setup.load(*offsets);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().detail.find("offsets.json") != std::string::npos);
  offsets->advance(setup.queue, QueueOffset{1});
  setup.persist(*offsets);
  CHECK(read_text_file(FileSystem::posix(), setup.path) == "{\"offsetTable\":{{");
}
