// A commit log in several directories: where segments are made and found.
#include "storage/log_directories.h"

#include <filesystem>

#include "storage/store_errc.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

using test::FailingFileSystem;
using test::FileCall;
using Texts = std::vector<std::string>;

constexpr std::int64_t kSegmentBytes = 64 * 1024;
constexpr std::int64_t kGiB = 1024LL * 1024 * 1024;

DiskSpace used(int percent) { return {kGiB / 100 * percent, kGiB / 100 * (100 - percent)}; }

// A store with its log in directories a, b and c, each on a disk of its own.
struct Disks : test::StoreFixture {
  Disks() {
    files = &failing;
    for (const char* name : {"b", "a", "c"}) config.commit_log_directory += path(name) + ",";
    config.clean_resource_interval = std::chrono::milliseconds(1);
    failing.set_space(used(50));
  }
  ~Disks() { kill(); }  // before `failing` goes
  std::string path(std::string_view name) const { return directory / name; }
  // The numbers of the segments in a directory.
  std::vector<std::int64_t> segments(std::string_view name) {
    std::vector<std::int64_t> numbers;
    const Texts names = failing.list(path(name)).value();
    for (const std::string& file : names) {
      numbers.push_back(*parse_position_file_name(path(name), file) / kSegmentBytes);
    }
    return numbers;
  }
  // So many segments, the last begun; each message takes a quarter of one. They are numbered.
  void fill(int count) {
    for (int i = 0; i < count * 4; ++i) {
      const std::string body = std::to_string(sent.size()) + std::string(15 * 1024, 'x');
      REQUIRE(append("T", 0, {body}).outcome);
      sent.push_back(body);
    }
    REQUIRE(wait_dispatched());
    REQUIRE(wait_flushed());
  }
  // Until the retention thread has looked at the disks again.
  void wait_for_look() {
    const std::int64_t asked = failing.space_asked();
    while (failing.space_asked() < asked + 8) std::this_thread::yield();
  }
  FailingFileSystem failing;
  Texts sent;
};

using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("log directories: lists of paths") {
  CHECK(split_directories("/a") == Texts{"/a"});
  CHECK(split_directories(" /a, /b c ,,\t/d,") == Texts{"/a", "/b c", "/d"});
  CHECK(split_directories("").empty());
  CHECK(split_directories(" , ").empty());
}

TEST_CASE("log directories: the choice is Java's") {
  LogDirectories three(FileSystem::posix(), {"/c", "/a", "/b", "/a"}, {});
  CHECK(three.text() == "/a,/b,/c");
  const auto chosen = [](const LogDirectories& from) {
    std::string names;
    for (std::int64_t number = 7; number < 13; ++number) names += from.choose(number).front()[1];
    return names;
  };
  CHECK(chosen(three) == "bcabca");
  three.set_full({"/b"});
  CHECK(chosen(three) == "cacaca");
  CHECK(three.choose(7) == Texts{"/c", "/a", "/b"});
  three.set_full({"/a", "/b"});
  CHECK(chosen(three) == "cccccc");
  // When all are full it makes no difference.
  three.set_full({"/c", "/a", "/b"});
  CHECK(chosen(three) == "bcabca");
  three.set_full({});
  CHECK(chosen(three) == "bcabca");

  const LogDirectories partly(FileSystem::posix(), {"/a", "/b", "/c"}, {"/b", "/old"});
  CHECK(chosen(partly) == "cacaca");
  CHECK(partly.text() == "/a,/b,/c,/old");
}

TEST_CASE_FIXTURE(Disks, "several log directories: segments lie in turn, and all are found again") {
  REQUIRE(failing.make_directories(path("a") + "/lost+found", SyncParents::No));
  open();
  fill(7);
  REQUIRE(failing.remove_all(path("a") + "/lost+found"));
  SUBCASE("after a stop") { stop(); }
  SUBCASE("after kill -9") { kill(); }
  open();  // which removes what was made ahead
  CHECK(segments("a") == Numbers{0, 3, 6});
  CHECK(segments("b") == Numbers{1, 4});
  CHECK(segments("c") == Numbers{2, 5});
  CHECK(bodies("T", 0) == sent);
  fill(1);
  CHECK(bodies("T", 0) == sent);
}

TEST_CASE_FIXTURE(Disks,
                  "several log directories: one that is full is left out until it has room") {
  config.disk_space_warning_level_ratio = 99;
  open();
  fill(2);
  failing.set_space(used(86), path("c"));
  wait_for_look();
  fill(4);  // of which the first may have been made ahead
  CHECK(segments("c").size() <= 1);
  failing.set_space(used(50), path("c"));
  wait_for_look();
  const std::size_t before = segments("c").size();
  fill(6);
  CHECK(segments("c").size() > before);
  CHECK(store->min_physical() == PhysicalOffset{0});  // nothing went to make room
  CHECK(bodies("T", 0) == sent);
  kill();
  open();
  CHECK(bodies("T", 0) == sent);
}

TEST_CASE_FIXTURE(Disks,
                  "several log directories: without space for a segment it goes to the next") {
  config.disk_space_warning_level_ratio = 99;
  SUBCASE("while there is room elsewhere") {}
  SUBCASE("while all are nearly full") { failing.set_space(used(87)); }
  config.clean_file_forcibly_enable = false;
  failing.plan(FileCall::Allocate, 1, std::errc::no_space_on_device, path("b"));
  open();
  wait_for_look();
  fill(7);
  while (!segments("b").empty()) std::this_thread::yield();  // one that could not be made ahead
  CHECK(bodies("T", 0) == sent);
  failing.plan(FileCall::Allocate, 1, std::errc::no_space_on_device, directory.path());
  test::Appended refused;
  do {
    refused = append("T", 0, {std::string(15 * 1024, 'x')});
  } while (refused.outcome);
  CHECK(refused.outcome.error().code == StoreErrc::DiskFull);
}

TEST_CASE_FIXTURE(Disks,
                  "several log directories: full when all are, and the oldest go everywhere") {
  open();
  fill(6);
  failing.set_space(used(95), path("a"));
  failing.set_space(used(95), path("b"));
  wait_for_look();
  CHECK(store->min_physical() == PhysicalOffset{0});
  CHECK(append("T", 0, {"taken"}).outcome);
  failing.set_space(used(95), path("c"));
  test::Appended refused;
  do {
    refused = append("T", 0, {"x"});
  } while (refused.outcome);
  CHECK(refused.outcome.error().code == StoreErrc::DiskFull);
  while (store->min_physical().value < 3 * kSegmentBytes) std::this_thread::yield();
  for (const char* name : {"a", "b", "c"}) {
    for (const std::int64_t number : segments(name)) CHECK(number >= 3);
  }
}

TEST_CASE_FIXTURE(Disks, "full disk: that of queues and index counts, too") {
  open();
  failing.set_space(used(95), layout().root());
  test::Appended refused;
  do {
    refused = append("T", 0, {"x"});
  } while (refused.outcome);
  CHECK(refused.outcome.error().code == StoreErrc::DiskFull);
  CHECK(refused.outcome.error().detail.find("95 % used") != std::string::npos);
}

TEST_CASE_FIXTURE(Disks, "several log directories: read-only ones are read, and get nothing new") {
  open();
  fill(3);
  stop();
  config.commit_log_read_only_directories = path("b");
  config.commit_log_directory = path("a") + "," + path("c");
  open();
  fill(4);
  CHECK(segments("b") == Numbers{1});
  CHECK(bodies("T", 0) == sent);
  stop();
  // In both lists, as Java wants it.
  config.commit_log_directory += "," + path("b");
  open();
  CHECK(bodies("T", 0) == sent);
  stop();
  config.commit_log_directory = path("b");
  CHECK(try_open().error().detail.find("readOnlyCommitLogStorePaths") != std::string::npos);
}

TEST_CASE_FIXTURE(Disks, "several log directories: a file that is missing is told") {
  open();
  fill(4);
  stop();
  REQUIRE(failing.remove_all(path("b")));
  const Result<> opened = try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == StoreErrc::WrongFileName);
  CHECK(opened.error().detail.find(path("c") + "/" + position_file_name(2 * kSegmentBytes)) !=
        std::string::npos);
}

// Java makes segments ahead of time, and again elsewhere when their directory has become full.
TEST_CASE_FIXTURE(Disks, "several log directories: of two files of one name the empty one goes") {
  open();
  fill(4);
  kill();
  const std::string name = position_file_name(kSegmentBytes);
  const auto make_second = [&](std::string_view in) {
    std::filesystem::copy_file(path("b") + "/" + name, path(in) + "/" + name);
  };
  SUBCASE("before the other") {
    make_second("a");
    test::overwrite(path("a") + "/" + name, 0, Bytes(kSegmentBytes));
    open();
    CHECK(segments("a") == Numbers{0, 3});
  }
  SUBCASE("behind the other") {
    make_second("c");
    test::overwrite(path("c") + "/" + name, 0, Bytes(kSegmentBytes));
    open();
    CHECK(segments("c") == Numbers{2});
  }
  SUBCASE("but none when both have records") {
    make_second("c");
    const Result<> opened = try_open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == StoreErrc::WrongFileName);
    CHECK(opened.error().detail.find(path("b") + "/" + name + " and " + path("c")) !=
          std::string::npos);
    return;
  }
  CHECK(segments("b") == Numbers{1});
  CHECK(bodies("T", 0) == sent);
}

}  // namespace rmq::storage
