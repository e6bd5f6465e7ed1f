// MessageIndex by itself: several files, what a crash leaves, damage, and what is found.
#include "storage/message_index.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/log.h"
#include "storage/index_keys.h"
#include "storage/store_errc.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/temp_directory.h"

namespace rmq::storage {
namespace {

constexpr IndexShape kShape{7, 11};  // ten entries a file
constexpr std::int64_t kStartMs = 1'700'000'000'000;
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kRecordBytes = 100;
using Force = MessageIndex::Force;

// An index of records that lie 100 bytes and one second apart, each with one key.
struct Fixture {
  Fixture() { log::set_level(log::Level::Error); }

  Result<> try_open(const IndexSituation& situation) {
    index = std::make_unique<MessageIndex>(*files, path(), kShape, clock);
    return index->open(situation);
  }
  void open(std::optional<IndexMark> mark, bool clean = false) {
    IndexSituation situation;
    situation.clean = clean;
    situation.mark = std::move(mark);
    situation.log_end = PhysicalOffset{log_end};
    const Result<> opened = try_open(situation);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message()));
  }
  void add(std::int64_t first, std::int64_t count) {
    std::vector<IndexKey> keys;
    for (std::int64_t i = first; i < first + count; ++i) {
      keys.push_back(
          {index_hash("T", "k" + std::to_string(i % 5)), {i * kRecordBytes}, kStartMs + i * 1000});
    }
    log_end = std::max(log_end, (first + count) * kRecordBytes);
    REQUIRE(index->add(keys, PhysicalOffset{(first + count) * kRecordBytes}));
  }
  // The numbers of the records found, in the order found, each once.
  std::vector<std::int64_t> found(std::string_view key, std::int64_t begin_ms = 0,
                                  std::int64_t end_ms = kForever, std::size_t max = 1000) {
    std::vector<std::int64_t> numbers;
    IndexSearch search{index_hash("T", key), begin_ms, end_ms, [&](PhysicalOffset at) {
                         const std::int64_t number = at.value / kRecordBytes;
                         if (std::find(numbers.begin(), numbers.end(), number) == numbers.end())
                           numbers.push_back(number);
                         return numbers.size() < max;
                       }};
    REQUIRE(index->find(search));
    return numbers;
  }
  // All records before `end` are found, by key, the newest first.
  void check_complete(std::int64_t end) {
    for (std::int64_t key = 0; key < 5; ++key) {
      std::vector<std::int64_t> expected;
      for (std::int64_t i = end - 1; i >= 0; --i) {
        if (i % 5 == key) expected.push_back(i);
      }
      CHECK(found("k" + std::to_string(key)) == expected);
    }
  }
  std::string path() const { return directory / "index"; }
  std::vector<std::string> names() const { return FileSystem::posix().list(path()).value(); }
  std::string file(std::size_t number) const { return path() + "/" + names()[number]; }
  // Adds what the reopened index lacks.
  void add_missing(std::int64_t end) {
    const std::int64_t from = index->position().value / kRecordBytes;
    add(from, end - from);
  }

  test::TempDirectory directory;
  ManualClock clock{kStartMs};
  FileSystem* files = &FileSystem::posix();
  std::unique_ptr<MessageIndex> index;
  std::int64_t log_end = 0;
};

void overwrite(const std::string& path, std::int64_t at, ByteView bytes) {
  auto file = FileSystem::posix().open(path, OpenMode::Write);
  REQUIRE(file);
  REQUIRE((*file)->pwrite(bytes, at));
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "message index: several files, newest first") {
  open({});
  for (std::int64_t i = 0; i < 37; ++i) add(i, 1);
  check_complete(37);
  CHECK(names().size() == 4);
  CHECK(found("k1", 0, kForever, 3) == std::vector<std::int64_t>{36, 31, 26});
  CHECK(found("k9").empty());
  CHECK(index->last().physical == PhysicalOffset{3600});
  CHECK(index->last().store_timestamp_ms == kStartMs + 36'000);
  CHECK(index->position() == PhysicalOffset{3700});
}

TEST_CASE_FIXTURE(Fixture, "message index: many files' worth of keys in one call") {
  open({});
  add(0, 95);
  check_complete(95);
  CHECK(names().size() == 10);
}

TEST_CASE_FIXTURE(Fixture, "message index: names grow although the clock stands or goes back") {
  open({});
  add(0, 11);
  clock.set_wall_ms(kStartMs - 3'600'000);
  add(11, 10);
  add(21, 10);
  const auto all = names();
  REQUIRE(all.size() == 4);
  CHECK(std::is_sorted(all.begin(), all.end()));
  for (const std::string& name : all) CHECK(name.size() == 17);
  check_complete(31);
}

TEST_CASE_FIXTURE(Fixture, "message index: time range") {
  open({});
  add(0, 30);
  // Whole seconds: what was stored within the last second of the range may come, too.
  CHECK(found("k0", kStartMs + 10'000, kStartMs + 20'000) == std::vector<std::int64_t>{20, 15, 10});
  CHECK(found("k0", kStartMs + 10'500, kStartMs + 14'000) == std::vector<std::int64_t>{10});
  CHECK(found("k0", kStartMs + 11'000, kStartMs + 14'000).empty());
  CHECK(found("k0", 0, kStartMs) == std::vector<std::int64_t>{0});
  CHECK(found("k0", kStartMs + 30'000, kForever).empty());
  CHECK(found("k0", 0, kStartMs - 1).empty());
}

TEST_CASE_FIXTURE(Fixture, "message index: a clean stop is taken as it is") {
  open({});
  add(0, 25);
  const IndexMark mark = index->sync(Force::Yes).value();
  open(mark, true);
  CHECK(index->position() == PhysicalOffset{2500});
  check_complete(25);
  add(25, 20);
  check_complete(45);
}

TEST_CASE("message index: after a crash it is what was synced, and goes on") {
  bool table_written = false;
  SUBCASE("entries were written") {}
  SUBCASE("entries, slots and header were written") { table_written = true; }
  for (const std::int64_t synced : {0, 1, 9, 10, 11, 25}) {
    for (const std::int64_t end : {25, 30, 47}) {
      CAPTURE(synced);
      CAPTURE(end);
      Fixture f;
      f.open({});
      f.add(0, synced);
      const IndexMark mark = f.index->sync(Force::Yes).value();
      f.add(synced, end - synced);
      if (table_written) REQUIRE(f.index->sync(Force::Yes));
      f.open(mark);
      CHECK(f.index->position() == PhysicalOffset{synced * kRecordBytes});
      f.check_complete(synced);
      f.add_missing(end);
      f.check_complete(end);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "message index: slots that were written when their entries were not") {
  open({});
  add(0, 6);
  const IndexMark mark = index->sync(Force::Yes).value();
  const Bytes before = read_file(FileSystem::posix(), file(0)).value();
  add(6, 3);
  REQUIRE(index->sync(Force::Yes));
  // The entries behind the mark are lost again: zeros.
  const std::int64_t at = kShape.entry_at(7);
  overwrite(file(0), at, Bytes(static_cast<std::size_t>(3 * kIndexEntryBytes)));
  open(mark);
  check_complete(6);
  CHECK(read_file(FileSystem::posix(), file(0)).value() == before);
}

TEST_CASE_FIXTURE(Fixture, "message index: the log has lost records") {
  open({});
  add(0, 25);
  const IndexMark mark = index->sync(Force::Yes).value();
  log_end = 1300;
  SUBCASE("with a mark") { open(mark); }
  SUBCASE("without") { open({}); }
  CHECK(index->position() <= PhysicalOffset{1300});
  CHECK(index->last().physical == PhysicalOffset{1200});
  check_complete(13);
  add_missing(20);
  check_complete(20);
}

TEST_CASE_FIXTURE(Fixture, "message index: without a mark the last record is taken again") {
  open({});
  add(0, 14);
  REQUIRE(index->sync(Force::Yes));
  SUBCASE("stopped") { open({}, true); }
  SUBCASE("crashed") { open({}); }
  CHECK(index->position() == PhysicalOffset{1300});
  add_missing(20);
  check_complete(20);
}

TEST_CASE_FIXTURE(Fixture, "message index: each damage is found, and built again") {
  open({});
  add(0, 35);
  const IndexMark mark = index->sync(Force::Yes).value();
  std::size_t intact = 3;  // files before the damaged one
  SUBCASE("an entry of the last file") {
    overwrite(file(3), kShape.entry_at(2), as_bytes("\xff\xff\xff\xff"));
  }
  SUBCASE("a link of the last file") {
    overwrite(file(3), kShape.entry_at(3) + 16, as_bytes(std::string_view("\0\0\0\7", 4)));
  }
  SUBCASE("the last file is cut off") { std::filesystem::resize_file(file(3), 40); }
  SUBCASE("the last file is gone") { std::filesystem::remove(file(3)); }
  SUBCASE("a file in the middle is cut off") {
    std::filesystem::resize_file(file(1), 100);
    intact = 1;
  }
  SUBCASE("the header of the first file") {
    overwrite(file(0), 36, as_bytes(std::string_view("\0\1\0\0", 4)));
    intact = 0;
  }
  SUBCASE("the files overlap") {
    overwrite(file(1), 24, as_bytes(std::string_view("\0\0\0\0\0\1\0\0", 8)));
    intact = 1;  // its header is wrong, too
  }
  open(mark);
  CHECK(names().size() == intact);
  CHECK(index->position().value <= static_cast<std::int64_t>(intact) * 10 * kRecordBytes);
  add_missing(35);
  check_complete(35);
}

TEST_CASE_FIXTURE(Fixture, "message index: slots of the last file are made again after a crash") {
  open({});
  add(0, 8);
  const IndexMark mark = index->sync(Force::Yes).value();
  overwrite(file(0), 40, Bytes(7 * 4));
  open(mark);
  check_complete(8);
}

TEST_CASE_FIXTURE(Fixture, "message index: a longer file is a changed setting, not damage") {
  open({});
  add(0, 3);
  std::filesystem::resize_file(file(0), static_cast<std::uintmax_t>(kShape.file_bytes() + 20));
  IndexSituation situation;
  situation.log_end = PhysicalOffset{log_end};
  const Result<> opened = try_open(situation);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == StoreErrc::WrongFileSize);
  CHECK(names().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "message index: other files are left alone") {
  REQUIRE(FileSystem::posix().make_directories(path()));
  std::filesystem::copy_file("/proc/self/comm", path() + "/notes.txt");
  open({});
  add(0, 3);
  const IndexMark mark = index->sync(Force::Yes).value();
  open(mark, true);
  check_complete(3);
  CHECK(names().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "message index: files with nothing that the log still has go") {
  open({});
  add(0, 35);
  IndexSituation situation;
  situation.clean = true;
  situation.mark = index->sync(Force::Yes).value();
  situation.log_begin = PhysicalOffset{1500};
  situation.log_end = PhysicalOffset{log_end};
  REQUIRE(try_open(situation));
  CHECK(names().size() == 3);
  CHECK(found("k0") == std::vector<std::int64_t>{30, 25, 20, 15, 10});
  situation.log_begin = situation.log_end;
  REQUIRE(try_open(situation));
  CHECK(names().size() == 1);  // never the last
}

TEST_CASE_FIXTURE(Fixture, "message index: a sync that nobody insists on comes now and then") {
  open({});
  const IndexMark first = index->sync(Force::Yes).value();
  add(0, 3);
  CHECK(index->sync(Force::No).value() == first);
  clock.advance(std::chrono::seconds(31));
  const IndexMark second = index->sync(Force::No).value();
  CHECK(second.position == PhysicalOffset{300});
  clock.advance(std::chrono::seconds(31));
  CHECK(index->sync(Force::No).value() == second);  // and gives the slots' memory back
  check_complete(3);
  add(3, 3);
  check_complete(6);
}

TEST_CASE_FIXTURE(Fixture, "message index: a full file is synced at once") {
  open({});
  const IndexMark first = index->sync(Force::Yes).value();
  add(0, 35);
  const IndexMark second = index->sync(Force::No).value();
  CHECK(second.file > first.file);
  CHECK(second.position == PhysicalOffset{3500});
}

TEST_CASE_FIXTURE(Fixture, "message index: a failed write or sync is told") {
  test::FailingFileSystem failing;
  files = &failing;
  open({});
  add(0, 3);
  SUBCASE("write") {
    failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "index");
    const IndexKey key{index_hash("T", "k"), {300}, kStartMs};
    CHECK_FALSE(index->add({&key, 1}, PhysicalOffset{400}));
    CHECK(index->position() == PhysicalOffset{300});
  }
  SUBCASE("sync") {
    failing.plan(test::FileCall::Sync, 1, std::errc::io_error, "index");
    CHECK_FALSE(index->sync(Force::Yes));
  }
  index.reset();
}

}  // namespace rmq::storage
