// The file of broker sets: compare-and-swap, crashes, damage, two owners.
#include <doctest/doctest.h>

#include <ostream>
#include <random>

#include "base/file_system.h"
#include "net/await.h"
#include "roles/controller/file_store.h"
#include "tests/support/controller_fixture.h"
#include "tests/support/controller_store_fixture.h"
#include "tests/support/crash_file_system.h"
#include "tests/support/failing_file_system.h"

namespace rmq::roles::controller {
namespace {

using replication::BrokerSet;
using test::ControllerStoreFixture;
using test::set_of;

}  // namespace

TEST_CASE_FIXTURE(ControllerStoreFixture,
                  "controller store: what is stored is there after a restart") {
  const std::string path = directory / "new/deep";
  BrokerSet nobody = set_of("nobody", 1);
  nobody.master.reset();
  nobody.members.clear();
  {
    FileStore store(FileSystem::posix(), path);
    REQUIRE(store.open());
    CHECK_FALSE(load(store, "b"));
    CHECK(list(store).empty());
    CHECK(swap(store, set_of("b", 1)).value());
    CHECK(swap(store, nobody).value());
    CHECK(load(store, "b") == set_of("b", 1));
  }
  FileStore store(FileSystem::posix(), path);
  REQUIRE(store.open());
  CHECK(list(store) == std::vector<BrokerSet>{set_of("b", 1), nobody});
}

TEST_CASE_FIXTURE(ControllerStoreFixture, "controller store: only the next version is stored") {
  FileStore store(FileSystem::posix(), directory.path());
  REQUIRE(store.open());
  CHECK_FALSE(swap(store, set_of("b", 2)).value());
  CHECK(swap(store, set_of("b", 1)).value());
  CHECK_FALSE(swap(store, set_of("b", 1)).value());
  CHECK_FALSE(swap(store, set_of("b", 3)).value());
  CHECK(swap(store, set_of("b", 2)).value());
  CHECK(load(store, "b")->version == 2);
  CHECK_FALSE(run<bool>([&] { return store.remove("b", 1); }).value());
  CHECK(load(store, "b"));
  CHECK(run<bool>([&] { return store.remove("b", 2); }).value());
  CHECK_FALSE(load(store, "b"));
  CHECK(swap(store, set_of("b", 1)).value());
}

TEST_CASE_FIXTURE(ControllerStoreFixture, "controller store: a second owner is refused") {
  FileStore store(FileSystem::posix(), directory.path());
  REQUIRE(store.open());
  FileStore second(FileSystem::posix(), directory.path());
  const Result<> refused = second.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("another controller uses " + directory.path()) !=
        std::string::npos);
}

TEST_CASE_FIXTURE(ControllerStoreFixture,
                  "controller store: a file that cannot be read stops the start") {
  {
    FileStore store(FileSystem::posix(), directory.path());
    REQUIRE(store.open());
    REQUIRE(swap(store, set_of("b", 1)).value());
  }
  const std::string path = directory / "broker-sets.json";
  const std::string good = read_text_file(FileSystem::posix(), path).value();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  std::vector<std::string> bad{"",
                               "[]",
                               "{}",
                               "nonsense",
                               R"({"format":1})",
                               replaced("\"format\":1", "\"format\":2"),
                               replaced("\"epoch\":7", "\"epoch\":\"x\""),
                               replaced("\"epoch\":7", "\"epoch\":-1"),
                               replaced("\"epoch\":7", "\"epoch\":3000000000"),
                               replaced("\"version\":1", "\"version\":0"),
                               replaced("\"master\":3", "\"master\":2"),
                               replaced("\"cluster\"", "\"klaster\""),
                               replaced("\"members\"", "\"memberz\""),
                               replaced("\"replicas\"", "\"replicaz\""),
                               replaced("\"checkCode\"", "\"checkKode\"")};
  for (std::size_t size = 1; size + 1 < good.size(); size += 7) bad.push_back(good.substr(0, size));
  for (const std::string& text : bad) {
    CAPTURE(text);
    REQUIRE(write_file_atomically(FileSystem::posix(), path, as_bytes(text)));
    FileStore store(FileSystem::posix(), directory.path());
    const Result<> opened = store.open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message().find(path) != std::string::npos);
    CHECK(read_text_file(FileSystem::posix(), path).value() == text);
  }
}

TEST_CASE_FIXTURE(ControllerStoreFixture,
                  "controller store: a write that fails changes nothing that is read") {
  test::FailingFileSystem files;
  FileStore store(files, directory.path());
  REQUIRE(store.open());
  REQUIRE(swap(store, set_of("b", 1)).value());
  files.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "broker-sets", 1);
  const Result<bool> failed = swap(store, set_of("b", 2));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == std::errc::no_space_on_device);
  CHECK(load(store, "b")->version == 1);
  files.plan(test::FileCall::Sync, 1, std::errc::io_error, "broker-sets", 1);
  REQUIRE_FALSE(swap(store, set_of("b", 2)));
  CHECK(swap(store, set_of("b", 2)).value());
  CHECK(load(store, "b")->version == 2);
}

TEST_CASE_FIXTURE(ControllerStoreFixture,
                  "controller store: after a crash the old or the new set") {
  constexpr unsigned kSeed = 20251128;
  std::mt19937_64 random(kSeed);
  // Three versions, and a death at every change of a file on the way.
  for (std::int64_t nth = 1;; ++nth) {
    bool died = false;
    for (const test::Moment moment :
         {test::Moment::Before, test::Moment::Within, test::Moment::After}) {
      for (const test::Death death : {test::Death::Process, test::Death::Power}) {
        test::CrashFileSystem files;
        std::uint64_t acknowledged = 0;
        test::CrashFileSystem::Plan plan;
        plan.nth = nth;
        plan.moment = moment;
        files.plan_death(plan);
        {
          FileStore store(files, "/controller");
          if (store.open()) {
            for (std::uint64_t version = 1; version <= 3; ++version) {
              const Result<bool> stored = swap(store, set_of("b", version));
              if (!stored) break;
              acknowledged = version;
            }
          }
        }
        CAPTURE(nth);
        CAPTURE(files.died_at());
        died = died || files.dead();
        files.restart(death, random);
        FileStore store(files, "/controller");
        REQUIRE(store.open());
        const std::optional<BrokerSet> set = load(store, "b");
        const std::uint64_t found = set ? set->version : 0;
        if (set) CHECK(*set == set_of("b", found));
        CHECK(found >= acknowledged);
        CHECK(found <= acknowledged + 1);
      }
    }
    if (!died) {
      CHECK(nth > 10);
      break;
    }
  }
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: a store that fails is an answer, not an end") {
  test::FailingFileSystem failing;
  files = &failing;
  start();
  make_pair();
  failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "broker-sets", 2);
  const Command refused = alter(*first, 1, 2, {1});
  CHECK(is(refused, ResponseCode::ControllerJraftInternalError));
  CHECK(refused.remark.find("No space left on device") != std::string::npos);
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  // An election that cannot be stored is tried again.
  first->die();
  while (failing.failures() < 2) std::this_thread::yield();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  second->timeout_ms = 100'000;
  beat(*second);
  clock.advance(1'000ms);
  wait_for_reign("2 epoch 2 {1,2} 3");
}

}  // namespace rmq::roles::controller
