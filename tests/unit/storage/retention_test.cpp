// Old files go, and nothing else; and a full disk passes.
#include "storage/retention.h"

#include <algorithm>
#include <filesystem>

#include "storage/store_errc.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

using namespace std::chrono_literals;
using test::FailingFileSystem;
using test::FileCall;
using test::StoreFixture;
using Texts = std::vector<std::string>;

constexpr std::int64_t kGiB = 1024LL * 1024 * 1024;

DiskSpace used(int percent, std::int64_t bytes = kGiB) {
  return {bytes / 100 * percent, bytes / 100 * (100 - percent)};
}

// A store whose disk and clock the test sets, looked at all the time.
struct Disk : StoreFixture {
  Disk() {
    files = &failing;
    failing.set_space(used(50));
    clock.set_wall_ms(noon);
    config.delete_when = "03";  // another hour than that of `noon`, wherever the test runs
    while (std::stoi(config.delete_when) == hour()) config.delete_when = "15";
    config.clean_resource_interval = 1ms;
    config.commit_log_segment_bytes = 64 * 1024;
    open();
  }
  ~Disk() { kill(); }  // before `failing` goes
  // No room is made by deleting messages.
  void keep_all() {
    config.clean_file_forcibly_enable = false;
    restart();
  }
  static int hour() {
    const std::time_t seconds = noon / 1000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return local.tm_hour;
  }
  // So many segments, the last of them begun; each message takes a quarter of one.
  void fill(int segments) {
    const std::string body(15 * 1024, 'x');
    for (int i = 0; i < segments * 4; ++i) REQUIRE(append("T", 0, {body}).outcome);
    REQUIRE(wait_dispatched());
    REQUIRE(wait_flushed());
  }
  std::size_t log_files() {
    const auto names = failing.list(layout().commit_log());
    REQUIRE(names);
    return names->size();
  }
  void wait_for_begin(std::int64_t segment) {
    while (store->min_physical().value < segment * config.commit_log_segment_bytes)
      std::this_thread::yield();
  }
  void wait_for_min(std::int64_t offset) {
    while (store->min_offset("T", 0).value < offset) std::this_thread::yield();
  }
  static constexpr std::int64_t noon = 1'700'000'000'000;
  FailingFileSystem failing;
};

}  // namespace

TEST_CASE("retention: hours of the day") {
  CHECK(parse_hours("04")->to_ulong() == 1U << 4);
  CHECK(parse_hours("0;23")->to_ulong() == (1U | 1U << 23));
  for (const char* bad : {"", "24", "4;", "x", "-1", "4 "}) CHECK_FALSE(parse_hours(bad));
}

TEST_CASE("retention: what the disk and the hour allow") {
  StoreConfig config;
  const auto rule = [&](DiskSpace space, int hour, bool asked = false) {
    return retention_rule(config, space, hour, asked);
  };
  CHECK(rule(used(50), 3) == RetentionRule{});
  CHECK(rule(used(50), 4) == RetentionRule{.delete_expired = true});
  CHECK(rule(used(50), 3, true) == RetentionRule{.delete_expired = true});
  CHECK(rule(used(75), 3) == RetentionRule{});
  CHECK(rule(used(76), 3) == RetentionRule{.delete_expired = true});
  CHECK(rule(used(86), 3) == RetentionRule{.delete_expired = true, .delete_oldest = true});
  CHECK(rule(used(91), 3) == RetentionRule{true, true, true});
  // Much is free of a large disk.
  CHECK(rule(used(91, 1000 * kGiB), 3) == RetentionRule{});
  CHECK(rule(used(91, 100 * kGiB), 3) == RetentionRule{true, true, true});
  config.clean_file_forcibly_enable = false;
  CHECK(rule(used(91), 3) == RetentionRule{.delete_expired = true, .refuse_writes = true});
}

TEST_CASE_FIXTURE(Disk, "retention: expired files go when somebody asks, the newest stays") {
  fill(4);
  clock.advance(73h);
  store->delete_expired();
  // The newest message of the fourth file is as old, but no file comes behind it.
  wait_for_begin(3);
  wait_for_min(12);
  CHECK(store->visible_end("T", 0) == QueueOffset{16});
  CHECK(bodies("T", 0, 12).size() == 4);
  stop();
  open();
  CHECK(store->min_offset("T", 0) == QueueOffset{12});
  CHECK(bodies("T", 0, 12).size() == 4);
  CHECK(append("T", 0, {"next"}).offsets.at(0) == QueueOffset{16});
}

TEST_CASE_FIXTURE(Disk, "retention: what is not expired stays while there is room") {
  fill(3);
  clock.advance(71h);
  failing.set_space(used(80));
  store->delete_expired();
  const std::int64_t asked = failing.space_asked();
  while (failing.space_asked() < asked + 3) std::this_thread::yield();
  CHECK(store->min_physical() == PhysicalOffset{0});
  failing.set_space(used(86));
  wait_for_begin(2);
}

TEST_CASE_FIXTURE(Disk, "retention: queue files follow the log") {
  config.consume_queue_file_bytes = 20 * 5;
  stop();
  REQUIRE(FileSystem::posix().remove_all(layout().root()));
  open();
  fill(4);  // 16 entries: four files
  clock.advance(73h);
  store->delete_expired();
  wait_for_min(12);
  const auto names = [&] { return *failing.list(layout().consume_queue("T", 0)); };
  while (names().size() > 2) std::this_thread::yield();
  CHECK(names().front() == position_file_name(20 * 10));
  CHECK(bodies("T", 0, 12).size() == 4);
  kill();
  open();
  CHECK(store->min_offset("T", 0) == QueueOffset{12});
  CHECK(bodies("T", 0, 12).size() == 4);
}

TEST_CASE_FIXTURE(Disk, "retention: a queue without messages counts on after a power cut") {
  config.consume_queue_file_bytes = 20 * 5;
  stop();
  REQUIRE(FileSystem::posix().remove_all(layout().root()));
  open();
  REQUIRE(append("T", 1, Texts(5, "x")).outcome);  // one file, full
  fill(4);
  clock.advance(73h);
  store->delete_expired();
  while (store->min_offset("T", 1).value < 5) std::this_thread::yield();
  const std::int64_t end = store->appended().value().value;
  REQUIRE(append("T", 1, {"lost"}).outcome);
  REQUIRE(wait_dispatched());
  kill();
  // The power cut took the record, and all of the new file but its name.
  const std::int64_t segment = end / config.commit_log_segment_bytes;
  test::overwrite(segment_path(segment * config.commit_log_segment_bytes),
                  end % config.commit_log_segment_bytes, Bytes(200));
  REQUIRE(FileSystem::posix().remove_all(layout().log_mark()));
  REQUIRE(FileSystem::posix().open(layout().consume_queue("T", 1) + "/" + position_file_name(100),
                                   OpenMode::Create));
  open();
  CHECK(append("T", 1, {"next"}).offsets.at(0) == QueueOffset{5});
}

TEST_CASE_FIXTURE(Disk, "retention: who reads a file keeps it") {
  fill(3);
  const auto first = store->record_at(PhysicalOffset{0});
  REQUIRE(first);
  failing.set_space(used(86));
  wait_for_begin(2);
  CHECK(protocol::decode_record(first->bytes, protocol::CheckBody::Yes));
  CHECK_FALSE(store->record_at(PhysicalOffset{0}));
}

TEST_CASE_FIXTURE(Disk, "full disk: messages are refused with the reason, and taken again") {
  config.clean_file_forcibly_enable = false;
  stop();
  open();
  fill(1);
  failing.set_space(used(91));
  test::Appended refused;
  do {
    refused = append("T", 0, {"x"});
  } while (refused.outcome);
  CHECK(refused.outcome.error().code == StoreErrc::DiskFull);
  CHECK(refused.outcome.error().detail.find("91 % used") != std::string::npos);
  CHECK(bodies("T", 0).size() >= 4);
  failing.set_space(used(89));
  test::Appended taken;
  do {
    taken = append("T", 0, {"again"});
  } while (!taken.outcome);
  CHECK(store->visible_end("T", 0).value <= taken.offsets.at(0).value + 1);
}

TEST_CASE_FIXTURE(Disk, "full disk: a segment that cannot be made refuses messages until it can") {
  keep_all();
  fill(1);
  failing.plan(FileCall::Allocate, 1, std::errc::no_space_on_device, "commitlog");
  const std::string body(15 * 1024, 'x');
  std::int64_t taken = 4;
  test::Appended last;
  for (;;) {
    last = append("T", 0, {body});
    if (!last.outcome) break;
    ++taken;
  }
  CHECK(last.outcome.error().code == StoreErrc::DiskFull);
  const auto failed = failing.failures();
  while (failing.failures() < failed + 2) std::this_thread::yield();  // room is looked for
  REQUIRE(wait_dispatched());
  CHECK(static_cast<std::int64_t>(bodies("T", 0).size()) == taken);

  failing.plan(FileCall::Allocate, 1, std::errc::no_space_on_device, "nothing");
  do {
    last = append("T", 0, {"again"});
  } while (!last.outcome);
  CHECK(last.offsets.at(0).value == taken);
  REQUIRE(wait_dispatched());
  CHECK(bodies("T", 0, taken) == Texts{"again"});
  kill();
  open();
  CHECK(static_cast<std::int64_t>(bodies("T", 0).size()) == taken + 1);
}

namespace {

// A turn of `messages`, of whose writes into the log number `first` and so many behind it find no
// space; then there is room again, or the process is killed.
void check_log_without_space(std::size_t messages, std::int64_t first, std::int64_t failures,
                             bool killed) {
  CAPTURE(messages);
  CAPTURE(failures);
  CAPTURE(killed);
  Disk disk;
  disk.keep_all();
  disk.fill(1);
  const std::int64_t end = disk.store->appended().value().value;
  disk.failing.plan(FileCall::Write, first, std::errc::no_space_on_device, "commitlog", failures);
  const std::string body(15 * 1024, 'x');
  const test::Appended refused = disk.append("T", 0, Texts(messages, body));
  REQUIRE_FALSE(refused.outcome);
  CHECK(refused.outcome.error().code == StoreErrc::DiskFull);
  CHECK(disk.store->appended().value().value == end);
  CHECK(disk.bodies("T", 0).size() == 4);
  if (killed) disk.kill();
  disk.failing.plan(FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
  if (killed) {
    disk.open();
    const auto kept = static_cast<std::int64_t>(disk.bodies("T", 0).size());
    CHECK(kept >= 4);
    CHECK(disk.append("T", 0, {"again"}).offsets.at(0) == QueueOffset{kept});
    return;
  }
  test::Appended taken;
  do {
    taken = disk.append("T", 0, {"again"});
  } while (!taken.outcome);
  CHECK(taken.offsets.at(0) == QueueOffset{4});
  CHECK(taken.physical.at(0).value == end);
  // Behind it nothing is left of the turn that failed.
  Bytes log = *read_file(FileSystem::posix(), disk.segment_path(0));
  if (const auto next = read_file(FileSystem::posix(), disk.segment_path(64 * 1024))) {
    log.insert(log.end(), next->begin(), next->end());
  }
  const auto rest = ByteView(log).subspan(static_cast<std::size_t>(taken.end.value));
  CHECK(std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; }));
  for (std::int64_t i = 5; i < 12; ++i) {
    CHECK(disk.append("T", 0, {body}).offsets.at(0) == QueueOffset{i});
  }
  disk.kill();
  disk.open();
  CHECK(disk.bodies("T", 0).size() == 12);
}

}  // namespace

TEST_CASE("full disk: writes into the log that find no space leave nothing there") {
  constexpr std::int64_t kAll = 1000;
  for (const bool killed : {false, true}) {
    check_log_without_space(1, 1, 1, killed);     // zeros in their place can be written
    check_log_without_space(1, 1, kAll, killed);  // nor can these
    check_log_without_space(8, 3, 1, killed);     // in the next segment but one
    check_log_without_space(8, 3, kAll, killed);
  }
}

TEST_CASE("full disk: a note that finds no space comes later") {
  for (const char* file : {"rmq/log-mark", "/checkpoint"}) {
    for (const bool killed : {false, true}) {
      Disk disk;
      disk.config.flush_consume_queue_interval = 1ms;
      disk.fill(1);
      disk.failing.plan(FileCall::Write, 1, std::errc::no_space_on_device, file);
      REQUIRE(disk.append("T", 0, {"a"}).outcome);
      REQUIRE(disk.wait_flushed());
      while (disk.failing.failures() < 3) std::this_thread::yield();
      REQUIRE(disk.append("T", 0, {"b"}).outcome);
      killed ? disk.kill() : disk.stop();
      disk.failing.plan(FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
      disk.open();
      CHECK(disk.bodies("T", 0, 4) == Texts{"a", "b"});
    }
  }
}

TEST_CASE_FIXTURE(Disk, "full disk: queues that cannot grow are made up for") {
  fill(1);
  failing.plan(FileCall::Write, 1, std::errc::no_space_on_device, "consumequeue");
  REQUIRE(append("T", 0, {"a"}).outcome);
  const auto failed = failing.failures();
  while (failing.failures() < failed + 2) std::this_thread::yield();
  CHECK(bodies("T", 0, 4) == Texts{"a"});  // from memory
  SUBCASE("there is room again") {
    failing.plan(FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
    restart();
  }
  SUBCASE("stopped while it is full") {
    stop();
    failing.plan(FileCall::Write, 1, std::errc::no_space_on_device, "nothing");
    open();
  }
  CHECK(bodies("T", 0, 4) == Texts{"a"});
}

}  // namespace rmq::storage
