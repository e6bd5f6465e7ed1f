// Files of a store other than the log, as RocketMQ writes them.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include "base/file_system.h"
#include "golden/golden.h"
#include "protocol/tag_filter.h"
#include "storage/checkpoint.h"
#include "storage/consume_queue.h"
#include "support/temp_directory.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kFileBytes = 5 * kEntryBytes;
constexpr std::string_view kFiles[] = {"00000000000000000000", "00000000000000000100"};
constexpr QueueOffset kFirst{2};  // two fillers lie before it

std::array<ConsumeQueueEntry, 4> entries() {
  return {
      ConsumeQueueEntry{{1073741888}, 231, protocol::tag_hash("TagA")},
      ConsumeQueueEntry{{1073742119}, 91, 0},
      ConsumeQueueEntry{{1073742210}, 4194304, protocol::tag_hash("T\xC3\xA4g\xF0\x9F\x98\x80")},
      // The smallest hash there is: its sign must fill the eight bytes.
      ConsumeQueueEntry{{1077936514}, 100, protocol::tag_hash("polygenelubricants")}};
}

Bytes golden_queue_file(std::string_view name) {
  return golden::read("consume_queue_" + std::string(name) + ".bin");
}

CheckpointValues checkpoint_values() {
  return {.log_timestamp_ms = 1700000000456,
          .consume_queue_timestamp_ms = 1700000000400,
          .index_timestamp_ms = 1700000000300,
          .master_flushed_offset = 1073741888,
          .confirmed_offset = 1073742000};
}

void write_file(const std::string& path, ByteView bytes) {
  auto file = FileSystem::posix().open(path, OpenMode::Create);
  REQUIRE(file);
  REQUIRE((*file)->pwrite(bytes, 0));
}

}  // namespace

TEST_CASE("golden checkpoint: both ways") {
  const Bytes bytes = golden::read("checkpoint.bin");
  const auto encoded = encode_checkpoint(checkpoint_values());
  CHECK(std::equal(encoded.begin(), encoded.end(), bytes.begin()));
  CHECK(std::all_of(bytes.begin() + kCheckpointBytes, bytes.end(),
                    [](std::byte b) { return b == std::byte{0}; }));
  const CheckpointValues values = decode_checkpoint(bytes);
  CHECK(values == checkpoint_values());
  const std::string minima = golden::read_text("checkpoint_min.txt");
  CHECK(std::to_string(values.safe_timestamp_ms()) == minima.substr(0, minima.find(' ')));
}

TEST_CASE("golden checkpoint: the file") {
  const test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  auto checkpoint = Checkpoint::open(files, directory / "checkpoint");
  REQUIRE(checkpoint);
  REQUIRE(checkpoint->write(checkpoint_values()));
  CHECK(read_file(files, directory / "checkpoint").value() == golden::read("checkpoint.bin"));

  write_file(directory / "java", golden::read("checkpoint.bin"));
  const auto opened = Checkpoint::open(files, directory / "java");
  REQUIRE(opened);
  CHECK(opened->values() == checkpoint_values());
}

TEST_CASE("golden consume queue: writing gives RocketMQ's files") {
  const test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  FileCache cache(files, 4);
  ConsumeQueue queue(cache, directory / "queue", kFileBytes);
  REQUIRE(queue.load());
  Bytes bytes(entries().size() * kEntryBytes);
  for (std::size_t i = 0; i < entries().size(); ++i) {
    encode_entry(entries()[i], bytes.data() + i * kEntryBytes);
  }
  queue.append(kFirst, bytes);
  queue.publish();
  REQUIRE(queue.write_tail());
  for (const std::string_view name : kFiles) {
    CAPTURE(name);
    CHECK(read_file(files, directory / ("queue/" + std::string(name))).value() ==
          golden_queue_file(name));
  }
}

TEST_CASE("golden consume queue: reading RocketMQ's files") {
  const test::TempDirectory directory;
  REQUIRE(FileSystem::posix().make_directories(directory / "queue"));
  for (const std::string_view name : kFiles) {
    write_file(directory / ("queue/" + std::string(name)), golden_queue_file(name));
  }
  for (const auto search : {ConsumeQueue::Search::Careful, ConsumeQueue::Search::Trusting}) {
    FileCache cache(FileSystem::posix(), 4);
    ConsumeQueue queue(cache, directory / "queue", kFileBytes);
    REQUIRE(queue.load());
    CHECK_FALSE(queue.damaged());
    REQUIRE(queue.recover(search));
    queue.publish();
    REQUIRE(queue.correct_begin(PhysicalOffset{1073741888}));
    CHECK(queue.begin() == kFirst);
    CHECK(queue.end() == kFirst + 4);
    CHECK(queue.covered().value() == PhysicalOffset{1077936514 + 100});
    for (std::size_t i = 0; i < entries().size(); ++i) {
      std::array<std::byte, kEntryBytes> bytes;
      CHECK(queue.read(kFirst + static_cast<std::int64_t>(i), bytes).value() == 1);
      CHECK(decode_entry(bytes.data()) == entries()[i]);
    }
  }
}

}  // namespace rmq::storage
