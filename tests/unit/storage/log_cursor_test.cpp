#include "storage/log_cursor.h"

#include <doctest/doctest.h>

#include "storage/layout.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

// A log of one segment with two records, the first of which is longer than what is searched at
// once.
struct LogFixture : test::StoreFixture {
  LogFixture() {
    files = &failing;
    config.commit_log_segment_bytes = 64 * kMiB;
    open();
    const test::Appended first = append("T", 0, {std::string(3 * kMiB, 'x')});
    const test::Appended second = append("T", 0, {"behind"});
    REQUIRE(second.outcome);
    at = second.physical.at(0);
    end = second.end;
    CHECK(at == first.end);
    kill();
    directories.emplace(failing, Texts{layout().commit_log()}, Texts{});
    log.emplace(cache, *directories, config.commit_log_segment_bytes);
    REQUIRE(log->load());
  }
  ~LogFixture() { kill(); }  // before `failing` goes

  using Texts = std::vector<std::string>;
  test::FailingFileSystem failing;
  FileCache cache{failing, 16};
  std::optional<LogDirectories> directories;
  std::optional<CommitLog> log;
  PhysicalOffset at;  // of the second record
  PhysicalOffset end;
};

}  // namespace

TEST_CASE_FIXTURE(LogFixture, "log search: a record whose magic lies across two pieces is found") {
  const PhysicalOffset magic = at + static_cast<std::int64_t>(protocol::kRecordMagicAt);
  for (std::int64_t split = -1; split <= 5; ++split) {
    CAPTURE(split);
    // The second piece begins `split` bytes behind the magic's first one.
    const auto found = find_record_behind(*log, magic + split - kMiB);
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->at == at);
  }
}

TEST_CASE_FIXTURE(LogFixture, "log search: what was never written is not read") {
  int reads = 0;
  failing.before_read([&reads](const std::string&) { ++reads; });
  const auto found = find_record_behind(*log, end);
  REQUIRE(found);
  CHECK_FALSE(found->has_value());
  CHECK(reads <= 2);  // the page that the log ends in
}

}  // namespace rmq::storage
