#include "storage/scrubber.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "storage/offline/verify.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

using Missing = BlockSums::Missing;
using Places = std::vector<PhysicalOffset>;

constexpr std::int64_t kBlock = BlockSums::kBlockBytes;

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

class ScrubFixture : public test::StoreFixture {
 public:
  ScrubFixture() {
    config.block_checksums_enable = true;
    config.block_checksums_interval = std::chrono::milliseconds(1);
  }
  ~ScrubFixture() { kill(); }  // before `failing` goes

  // Messages that fill so many segments, and all blocks but the last have their sums.
  void fill(int segments) {
    open();
    while (store->appended().value().value < segments * config.commit_log_segment_bytes) {
      REQUIRE(append("T", 0, {std::string(3000, 'x')}, "tag").outcome);
    }
    REQUIRE(wait_dispatched());
    REQUIRE(wait_flushed());
    wait_summed();
  }
  void wait_summed() {
    const std::int64_t end = store->appended().value().value;
    const std::int64_t base =
        end / config.commit_log_segment_bytes * config.commit_log_segment_bytes;
    const auto wanted = static_cast<std::uintmax_t>((end - base) / kBlock * 4);
    const std::string path = layout().checksums() + "/" + position_file_name(base);
    std::error_code none;
    while (!std::filesystem::exists(path) || std::filesystem::file_size(path, none) < wanted) {
      std::this_thread::yield();
    }
  }
  // A byte of the tag of the record that has the byte at `near`; the body's checksum is right
  // still.
  std::int64_t change_tag(std::int64_t near) {
    const std::string path = layout().commit_log() + "/" +
                             position_file_name(near / config.commit_log_segment_bytes *
                                                config.commit_log_segment_bytes);
    const auto text = read_text_file(*files, path).value();
    const auto at = static_cast<std::int64_t>(
        text.find("tag", static_cast<std::size_t>(near % config.commit_log_segment_bytes)));
    test::overwrite(path, at, as_bytes("b"));
    return near / config.commit_log_segment_bytes * config.commit_log_segment_bytes + at;
  }
  void wait_damaged(std::int64_t count) {
    while (store->damaged_blocks() < count) std::this_thread::yield();
  }

  test::FailingFileSystem failing;
};

}  // namespace

TEST_CASE("block sums: kept, compared, cut and forgotten") {
  test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  // No whole number of blocks: the last one is short.
  constexpr std::int64_t kSegment = 8 * kBlock + 100;
  BlockSums sums(files, directory / "sums", kSegment);
  Bytes bytes = pattern(static_cast<std::size_t>(kSegment));
  const PhysicalOffset base{3 * kSegment};

  CHECK(sums.check(bytes, base, Missing::Skip).value().empty());
  CHECK(files.list(directory / "sums").value().empty());
  CHECK(sums.check(bytes, base, Missing::Add).value().empty());
  bytes[static_cast<std::size_t>(2 * kBlock + 5)] ^= std::byte{1};
  bytes.back() ^= std::byte{0x80};
  const Places different{base + 2 * kBlock, base + 8 * kBlock};
  CHECK(sums.check(bytes, base, Missing::Add).value() == different);
  BlockSums again(files, directory / "sums", kSegment);
  CHECK(again.check(bytes, base, Missing::Skip).value() == different);

  // The block that the end lies in goes as well.
  REQUIRE(again.cut(base + 3 * kBlock - 1));
  CHECK(again.check(bytes, base, Missing::Skip).value().empty());
  CHECK(again.check(bytes, base, Missing::Add).value().empty());
  REQUIRE(again.cut(base));
  CHECK(files.list(directory / "sums").value().empty());

  CHECK(again.check(bytes, base, Missing::Add).value().empty());
  REQUIRE(again.drop_before(base + kSegment - 1));
  CHECK(files.list(directory / "sums").value().size() == 1);
  REQUIRE(again.drop_before(base + kSegment));
  CHECK(files.list(directory / "sums").value().empty());
  CHECK(again.check(bytes, base, Missing::Add).value().empty());
  REQUIRE(again.forget_all());
  CHECK_FALSE(files.exists(directory / "sums").value());
}

TEST_CASE_FIXTURE(ScrubFixture, "scrub: a byte that changed outside of a body is found") {
  std::int64_t near = 0;
  bool crash = false;
  SUBCASE("in an old segment") { near = 100; }
  SUBCASE("in the newest") { near = 2 * config.commit_log_segment_bytes + 100; }
  SUBCASE("after a crash") {
    near = config.commit_log_segment_bytes + 100;
    crash = true;
    // No note of how far the log is on disk: one that names the very record fits no more, and then
    // the sums count no more either.
    config.flush_consume_queue_interval = std::chrono::hours(1);
  }
  fill(3);
  if (crash) {
    kill();
  } else {
    stop();
  }
  change_tag(near);
  open();
  wait_damaged(1);
  CHECK(bodies("T", 0).size() > 60);  // it costs no message
}

TEST_CASE_FIXTURE(ScrubFixture, "scrub: a store that somebody else has written to has no sums") {
  fill(2);
  stop();
  change_tag(100);
  std::filesystem::remove(layout().log_mark());
  fill(3);  // the log is looked at from its beginning on, and now up to here
  CHECK(store->damaged_blocks() == 0);
}

TEST_CASE_FIXTURE(ScrubFixture, "scrub: a page that cannot be read costs no other its checksum") {
  files = &failing;
  config.flush_consume_queue_interval = std::chrono::hours(1);  // notes read the log too
  fill(1);
  // The first read is of all that is new, the second of a page.
  failing.plan(test::FileCall::Read, 1, std::errc::io_error, "commitlog", 2);
  for (int i = 0; i < 10; ++i) REQUIRE(append("T", 0, {std::string(3000, 'x')}).outcome);
  REQUIRE(wait_flushed());
  wait_summed();
  CHECK(failing.failures() == 2);
  const std::int64_t segment = config.commit_log_segment_bytes;
  const Bytes sums =
      read_file(*files, layout().checksums() + "/" + position_file_name(segment)).value();
  std::int64_t missing = 0;
  for (std::size_t at = 0; at + 4 <= sums.size(); at += 4) {
    missing += load_big_endian<std::uint32_t>(sums.data() + at) == 0 ? 1 : 0;
  }
  CHECK(missing > 0);
  CHECK(missing <= 4096 / kBlock);
}

TEST_CASE_FIXTURE(ScrubFixture, "scrub: sums of expired segments go") {
  config.delete_when = "";
  config.clean_resource_interval = std::chrono::milliseconds(1);
  fill(3);
  clock.advance(std::chrono::hours(100));
  REQUIRE(append("T", 0, {"new"}).outcome);
  store->delete_expired();
  const auto first = [this] {
    const auto names = files->list(layout().checksums()).value();
    return names.empty() ? std::string() : names.front();
  };
  while (first() == position_file_name(0)) std::this_thread::yield();
}

TEST_CASE_FIXTURE(ScrubFixture, "verify: blocks that changed, and the messages that have them") {
  fill(2);
  stop();
  const std::int64_t at = change_tag(config.commit_log_segment_bytes + 5000);
  offline::StorePlace place{config, true};
  const auto report = offline::verify(*files, place, {});
  REQUIRE(report);
  CHECK_FALSE(report->findings.sound());
  CHECK(report->messages_lost == 0);
  auto found = report->findings.kept();
  // The queue has the tag's hash, so its entry is another as well.
  std::erase_if(found, [](const auto& one) { return one.kind != offline::FindingKind::Checksum; });
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == offline::FindingKind::Checksum);
  CHECK(found[0].position == at / kBlock * kBlock);
  CHECK(found[0].what.find("at ") != std::string::npos);
}

}  // namespace rmq::storage
