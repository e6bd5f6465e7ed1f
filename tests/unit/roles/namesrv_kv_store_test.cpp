#include "roles/namesrv/kv_store.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <ostream>

#include "base/file_system.h"
#include "protocol/protocol_errc.h"

namespace rmq::roles::namesrv {
namespace {

struct Fixture {
  Fixture() {
    char name[] = "/tmp/rmq-kv-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    directory = name;
    path = directory + "/deep/er/kvConfig.json";
  }
  ~Fixture() { std::filesystem::remove_all(directory); }

  std::string file() const {
    const auto text = read_text_file(FileSystem::posix(), path);
    return text ? *text : "none";
  }
  void write(std::string_view text) const {
    REQUIRE(FileSystem::posix().make_directories(parent_directory(path)));
    REQUIRE(write_file_atomically(FileSystem::posix(), path, as_bytes(text)));
  }

  std::string directory;
  std::string path;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "kv store: what was put is there after a restart, in Java's format") {
  {
    KvStore store(FileSystem::posix(), path);
    REQUIRE(store.load());
    CHECK_FALSE(store.list("N"));
    REQUIRE(store.put("N", "k", "v"));
    REQUIRE(store.put("N", "k2", "\"\xc3\xa9\""));
    REQUIRE(store.put("M", "k", "old"));
    REQUIRE(store.put("M", "k", "new"));
  }
  CHECK(
      file() ==
      "{\"configTable\":{\"M\":{\"k\":\"new\"},\"N\":{\"k\":\"v\",\"k2\":\"\\\"\xc3\xa9\\\"\"}}}");
  KvStore store(FileSystem::posix(), path);
  REQUIRE(store.load());
  CHECK(store.get("M", "k") == "new");
  CHECK(store.get("N", "k2") == "\"\xc3\xa9\"");
  CHECK_FALSE(store.get("N", "x"));
  CHECK_FALSE(store.get("x", "k"));
  CHECK(store.list("M") == protocol::KVTable{{{"k", "new"}}});
}

TEST_CASE_FIXTURE(Fixture, "kv store: a namespace outlives its last key; erasing nothing is fine") {
  KvStore store(FileSystem::posix(), path);
  REQUIRE(store.put("N", "k", "v"));
  REQUIRE(store.erase("N", "x"));
  REQUIRE(store.erase("x", "k"));
  CHECK(store.get("N", "k") == "v");
  REQUIRE(store.erase("N", "k"));
  CHECK_FALSE(store.get("N", "k"));
  CHECK(store.list("N") == protocol::KVTable{});
  CHECK(file() == R"({"configTable":{"N":{}}})");
}

TEST_CASE_FIXTURE(Fixture, "kv store: reads what Java and people write") {
  write(
      "{\n\t\"configTable\":{\"N\":{\"n\":7,\"k\":'v',\"null\":null}, \"odd\": 3}, \"more\": "
      "[]}\n");
  KvStore store(FileSystem::posix(), path);
  REQUIRE(store.load());
  CHECK(store.get("N", "n") == "7");
  CHECK(store.get("N", "k") == "v");
  CHECK_FALSE(store.get("N", "null"));
  CHECK(store.list("odd") == protocol::KVTable{});
}

TEST_CASE_FIXTURE(Fixture, "kv store: a file that is no table stops the start and stays as it is") {
  for (const std::string_view bad : {"{\"configTable\":{", "[]", "nonsense"}) {
    write(bad);
    KvStore store(FileSystem::posix(), path);
    const auto loaded = store.load();
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == protocol::ProtocolErrc::BodyMalformed);
    CHECK(loaded.error().detail.find(path) != std::string::npos);
    CHECK(file() == bad);
  }
  write("");
  KvStore store(FileSystem::posix(), path);
  CHECK(store.load());
}

TEST_CASE_FIXTURE(Fixture, "kv store: what cannot be written did not happen") {
  std::filesystem::create_directories(path);  // a directory where the file should be
  KvStore store(FileSystem::posix(), path);
  CHECK_FALSE(store.put("N", "k", "v"));
  CHECK_FALSE(store.get("N", "k"));
  CHECK_FALSE(store.list("N"));
}

}  // namespace rmq::roles::namesrv
