// What a store does when the disk fails: it stops, says why once, and keeps what it acknowledged.
#include <atomic>
#include <semaphore>

#include "tests/support/failing_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::Appended;
using test::FailingFileSystem;
using test::FileCall;
using test::StoreFixture;
using test::wait_for;
using Texts = std::vector<std::string>;

namespace {

struct FailingFixture : StoreFixture {
  FailingFixture() {
    files = &failing;
    fatal = [this](const Error& why) {
      ++fatal_calls;
      fatal_code = why.code;
      told.release();
    };
  }
  // The store's threads use `failing`, which goes before the base.
  ~FailingFixture() { kill(); }
  void open_again_on_a_good_disk() {
    kill();
    files = &FileSystem::posix();
    open();
  }
  FailingFileSystem failing;
  std::atomic<int> fatal_calls{0};
  std::error_code fatal_code;
  std::counting_semaphore<16> told{0};
};

}  // namespace

TEST_CASE("failure: a log write fails; nothing of the batch is there, and nothing more is taken") {
  FailingFixture fixture;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"kept"}).outcome);
  const std::int64_t end = fixture.store->appended().value().value;
  // With one failure only the bytes already written can be taken back.
  fixture.failing.plan(FileCall::Write, 1, std::errc::io_error, "commitlog", 1);
  const Appended failed = fixture.append("T", 0, {"lost", "lost too"});
  REQUIRE_FALSE(failed.outcome);
  CHECK(failed.outcome.error().code == StoreErrc::ReadOnly);
  CHECK(failed.outcome.error().detail.find("planned") != std::string::npos);
  CHECK(fixture.store->appended().value().value == end);
  CHECK(fixture.append("T", 0, {"refused"}).outcome.error().code == StoreErrc::ReadOnly);
  CHECK(fixture.fatal_calls == 1);
  CHECK(fixture.fatal_code == StoreErrc::ReadOnly);
  CHECK_FALSE(wait_for(fixture.store->flushed(), FlushedOffset{end + 1}));
  fixture.store->stop();
  CHECK(*fixture.files->exists(fixture.layout().abort()));
  fixture.open_again_on_a_good_disk();
  CHECK(fixture.bodies("T", 0) == Texts{"kept"});
  CHECK(fixture.append("T", 0, {"next"}).offsets[0] == QueueOffset{1});
}

TEST_CASE("failure: no space for the next segment; the turn that needed it fails as a whole") {
  FailingFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  fixture.failing.plan(FileCall::Allocate, 1, std::errc::no_space_on_device, "commitlog");
  Texts kept;
  Appended last;
  for (int i = 0; i < 20; ++i) {
    const Texts three(3, "m" + std::to_string(i));
    last = fixture.append("T", 0, three);
    if (!last.outcome) break;
    kept.insert(kept.end(), three.begin(), three.end());
  }
  REQUIRE_FALSE(last.outcome);
  CHECK(kept.size() == 9);  // the tenth fits the segment, but not those of its batch
  CHECK(last.outcome.error().code == StoreErrc::DiskFull);
  CHECK(fixture.fatal_calls == 0);  // it may pass: retention_test.cpp
  fixture.store->stop();            // the housekeeper may just be making a segment, and unmaking it
  CHECK(fixture.files->list(fixture.layout().commit_log())->size() == 1);
  fixture.open_again_on_a_good_disk();
  CHECK(fixture.bodies("T", 0) == kept);
  CHECK(fixture.append("T", 0, {"next"}).offsets[0] == QueueOffset{9});
}

TEST_CASE("failure: a sync of the log fails once and is not tried again") {
  FailingFixture fixture;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.config.flush_disk_type = FlushDiskType::Sync;
  fixture.open();
  fixture.failing.plan(FileCall::Sync, 1, std::errc::io_error, "commitlog", 1);
  const Appended appended = fixture.append("T", 0, {"a"});
  const Result<> flushed = wait_for(fixture.store->flushed(), FlushedOffset{appended.end.value});
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().code == StoreErrc::ReadOnly);
  fixture.told.acquire();
  CHECK(fixture.append("T", 0, {"b"}).outcome.error().code == StoreErrc::ReadOnly);
  fixture.store->request_flush();
  CHECK_FALSE(wait_for(fixture.store->flushed(), FlushedOffset{appended.end.value}));
  CHECK(fixture.store->visible_end("T", 0) == QueueOffset{0});
  fixture.store->stop();
  CHECK(fixture.failing.failures() == 1);
  CHECK(fixture.fatal_calls == 1);
}

TEST_CASE("failure: a consume queue cannot be written; the log keeps the message") {
  FailingFixture fixture;
  fixture.open();
  fixture.failing.plan(FileCall::Write, 1, std::errc::io_error, "consumequeue");
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  fixture.told.acquire();
  CHECK(fixture.store->visible_end("T", 0) == QueueOffset{1});  // from memory
  CHECK(fixture.append("T", 0, {"b"}).outcome.error().code == StoreErrc::ReadOnly);
  fixture.open_again_on_a_good_disk();
  CHECK(fixture.bodies("T", 0) == Texts{"a"});
}

TEST_CASE("failure: a consume queue cannot be synced, and no note says that it was") {
  FailingFixture fixture;
  fixture.open();
  fixture.failing.plan(FileCall::Sync, 1, std::errc::io_error, "consumequeue");
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  fixture.told.acquire();
  fixture.store->stop();
  CHECK(*fixture.files->exists(fixture.layout().abort()));
  fixture.open_again_on_a_good_disk();
  CHECK(fixture.bodies("T", 0) == Texts{"a"});
}

TEST_CASE("failure: opening reports what it could not make") {
  FailingFixture fixture;
  fixture.failing.plan(FileCall::Allocate, 1, std::errc::no_space_on_device, "commitlog", 1);
  const Result<> opened = fixture.try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == std::errc::no_space_on_device);
  fixture.open();
  CHECK(fixture.append("T", 0, {"a"}).outcome);
}

}  // namespace rmq::storage
