// Checkpoint, log mark and consume queue files; the first and the last against Java's bytes.
#include "storage/checkpoint.h"
#include "storage/consume_queue.h"
#include "storage/log_mark.h"
#include "storage/store_errc.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::overwrite;
using test::TempDirectory;

namespace {

Bytes golden(const std::string& name) {
  auto bytes = read_file(FileSystem::posix(), RMQ_TEST_SOURCE_DIR "/golden/data/" + name);
  REQUIRE(bytes);
  return *bytes;
}

}  // namespace

TEST_CASE("checkpoint: same bytes as Java, both ways") {
  TempDirectory directory;
  const Bytes java = golden("checkpoint.bin");
  const CheckpointValues values = decode_checkpoint(java);
  CHECK(values.master_flushed_offset == 0x40000040);
  CHECK(values.confirmed_offset == 0x400000b0);
  CHECK(values.safe_timestamp_ms() ==
        std::stoll(std::string(as_text(golden("checkpoint_min.txt")))));
  auto checkpoint = Checkpoint::open(FileSystem::posix(), directory / "checkpoint");
  REQUIRE(checkpoint);
  CHECK(checkpoint->values() == CheckpointValues{});
  REQUIRE(checkpoint->write(values));
  CHECK(*read_file(FileSystem::posix(), directory / "checkpoint") == java);
  const auto again = Checkpoint::open(FileSystem::posix(), directory / "checkpoint");
  CHECK(again->values() == values);
}

TEST_CASE("consume queue: same files as Java, for a queue that begins with message 2") {
  TempDirectory directory;
  FileCache cache(FileSystem::posix(), 4);
  const std::string files[] = {"00000000000000000000", "00000000000000000100"};
  std::vector<Bytes> java;
  for (const std::string& name : files) java.push_back(golden("consume_queue_" + name + ".bin"));
  std::vector<ConsumeQueueEntry> entries;
  for (std::size_t at = 2 * kEntryBytes; at < 100; at += kEntryBytes) {
    entries.push_back(decode_entry(java[0].data() + at));
  }
  entries.push_back(decode_entry(java[1].data()));
  Bytes encoded(entries.size() * kEntryBytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    encode_entry(entries[i], encoded.data() + i * kEntryBytes);
  }
  ConsumeQueue queue(cache, directory / "q", 100);
  queue.append(QueueOffset{2}, encoded);
  queue.publish();
  REQUIRE(queue.write_tail());
  CHECK(queue.begin() == QueueOffset{2});
  CHECK(queue.end() == QueueOffset{6});
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(*read_file(FileSystem::posix(), directory / ("q/" + files[i])) == java[i]);
  }
  for (const auto search : {ConsumeQueue::Search::Careful, ConsumeQueue::Search::Trusting}) {
    ConsumeQueue loaded(cache, directory / "q", 100);
    REQUIRE(loaded.load());
    CHECK_FALSE(loaded.damaged());
    REQUIRE(loaded.recover(search));
    REQUIRE(loaded.correct_begin(PhysicalOffset{0}));
    CHECK(loaded.begin() == QueueOffset{2});
    CHECK(loaded.end() == QueueOffset{6});
    CHECK(*loaded.covered() == entries.back().physical + entries.back().size);
  }
}

TEST_CASE("consume queue: cut, begin and reads over files") {
  TempDirectory directory;
  FileCache cache(FileSystem::posix(), 1);  // every other use opens a file again
  ConsumeQueue queue(cache, directory / "q", 20 * 10);
  Bytes encoded(35 * kEntryBytes);
  for (int i = 0; i < 35; ++i) {
    encode_entry({PhysicalOffset{i * 100}, 100, i}, encoded.data() + i * 20);
  }
  queue.append(QueueOffset{0}, encoded);
  REQUIRE(queue.write_tail());
  CHECK(queue.end() == QueueOffset{0});  // not yet published, and not written
  CHECK_FALSE(*FileSystem::posix().exists(directory / "q"));
  queue.publish();
  for (const bool written : {false, true}) {
    if (written) {
      REQUIRE(queue.write_tail());
    }
    CHECK((queue.tail_bytes() == 0) == written);
    Bytes into(35 * kEntryBytes);
    CHECK(*queue.read(QueueOffset{8}, into) == 2);
    CHECK(decode_entry(into.data() + 20).tag_code == 9);
    CHECK(*queue.read(QueueOffset{30}, into) == 5);
    CHECK(*queue.read(QueueOffset{35}, into) == 0);
  }
  REQUIRE(queue.correct_begin(PhysicalOffset{1150}));
  CHECK(queue.begin() == QueueOffset{12});
  REQUIRE(queue.correct_begin(PhysicalOffset{9999}));
  CHECK(queue.begin() == QueueOffset{35});
  REQUIRE(queue.cut(PhysicalOffset{1500}));
  CHECK(queue.end() == QueueOffset{15});
  CHECK(FileSystem::posix().list(directory / "q")->size() == 2);
  ConsumeQueue loaded(cache, directory / "q", 20 * 10);
  REQUIRE(loaded.load());
  REQUIRE(loaded.recover(ConsumeQueue::Search::Careful));
  CHECK(loaded.end() == QueueOffset{15});
  loaded.append(QueueOffset{15}, ByteView(encoded).subspan(15 * kEntryBytes));
  loaded.publish();
  REQUIRE(loaded.write_tail());
  CHECK(loaded.end() == QueueOffset{35});
  REQUIRE(loaded.reset());
  CHECK(FileSystem::posix().list(directory / "q")->empty());
  CHECK_FALSE(loaded.has_entries());
}

TEST_CASE("consume queue: a careful search ends where physical offsets stop to grow") {
  TempDirectory directory;
  FileCache cache(FileSystem::posix(), 4);
  ConsumeQueue queue(cache, directory / "q", 20 * 10);
  Bytes encoded(4 * kEntryBytes);
  for (int i = 0; i < 4; ++i) {
    encode_entry({PhysicalOffset{(i == 3 ? 1 : i) * 100}, 100, 0}, encoded.data() + i * 20);
  }
  queue.append(QueueOffset{0}, encoded);
  queue.publish();
  REQUIRE(queue.write_tail());
  REQUIRE(queue.recover(ConsumeQueue::Search::Careful));
  CHECK(queue.end() == QueueOffset{3});
}

class LogMarkFixture {
 protected:
  static LogMark mark(std::int64_t flushed, std::int64_t checkpoint) {
    LogMark mark;
    mark.flushed = mark.dispatched = PhysicalOffset{flushed};
    mark.last_record_bytes = 90;
    mark.queue_count = 3;
    mark.checkpoint.log_timestamp_ms = checkpoint;
    return mark;
  }

  LogMarkFile open(std::int64_t checkpoint) const {
    CheckpointValues beside;
    beside.log_timestamp_ms = checkpoint;
    return LogMarkFile::open(FileSystem::posix(), path, beside).value();
  }

  const TempDirectory directory;
  const std::string path = directory / "rmq/log-mark";
};

TEST_CASE_FIXTURE(LogMarkFixture, "log mark: the newest of two, unless it is torn") {
  const LogMark first = mark(1000, 77);
  LogMark second = mark(2000, 77);
  second.clean = true;
  {
    LogMarkFile marks = open(77);
    CHECK_FALSE(marks.found());
    REQUIRE(marks.write(first));
    REQUIRE(marks.write(second));
  }
  CHECK(open(77).found() == second);
  for (std::int64_t at = 0; at < 136; ++at) {
    const Bytes before = *read_file(FileSystem::posix(), path);
    // The second write went to slot 0.
    const std::byte damaged{
        static_cast<unsigned char>(~std::to_integer<int>(before[static_cast<std::size_t>(at)]))};
    overwrite(path, at, ByteView(&damaged, 1));
    CHECK(open(77).found() == first);
    overwrite(path, 0, before);
  }
}

TEST_CASE_FIXTURE(LogMarkFixture,
                  "log mark: its own checkpoint is there, or that of the one before it") {
  const LogMark first = mark(1000, 77);
  const LogMark second = mark(2000, 88);
  {
    LogMarkFile marks = open(0);
    REQUIRE(marks.write(first));
    REQUIRE(marks.write(second));
  }
  CHECK(open(88).found() == second);
  CHECK(open(77).found() == second);  // killed before the checkpoint was written
  CHECK_FALSE(open(99).found());      // Java has run

  // However often that happens, one is there whose checkpoint is.
  for (const std::int64_t next : {3000, 4000}) {
    LogMarkFile marks = open(77);
    REQUIRE(marks.write(mark(next, next)));
  }
  CHECK(open(77).found() == mark(4000, 4000));
  CHECK(open(4000).found() == mark(4000, 4000));
}

TEST_CASE("layout: names of files by position") {
  CHECK(position_file_name(0) == "00000000000000000000");
  CHECK(position_file_name(1073741824) == "00000000001073741824");
  CHECK(*parse_position_file_name("d", "00000000001073741824") == 1073741824);
  for (const char* name : {"", "1", "0000000000107374182x", "-0000000000000000001",
                           "99999999999999999999", "000000000000000000000"}) {
    CHECK(parse_position_file_name("d", name).error().code == StoreErrc::WrongFileName);
  }
}

}  // namespace rmq::storage
