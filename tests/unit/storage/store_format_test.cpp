// Directories of Java stores that would look empty, or lose messages, if they were just opened.
#include <doctest/doctest.h>

#include "storage/store_errc.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

void make_file(const std::string& path) {
  REQUIRE(FileSystem::posix().make_directories(parent_directory(path)));
  REQUIRE(FileSystem::posix().open(path, OpenMode::Create));
}

}  // namespace

TEST_CASE_FIXTURE(test::StoreFixture, "store format: consume queues in RocksDB are refused") {
  make_file(layout().consume_queues() + "/CURRENT");
  const Result<> opened = try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == StoreErrc::NotSupported);
  CHECK(opened.error().detail.find("defaultRocksDB") != std::string::npos);
}

TEST_CASE_FIXTURE(test::StoreFixture, "store format: batch consume queues are refused") {
  const std::string queue = layout().root() + "/batchconsumequeue/T/0";
  REQUIRE(FileSystem::posix().make_directories(queue));
  open();  // none is in use
  stop();
  make_file(queue + "/" + position_file_name(0));
  const Result<> opened = try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == StoreErrc::NotSupported);
  CHECK(opened.error().detail.find("batchconsumequeue/T") != std::string::npos);
  // Nothing was touched: no mark of a running store stays behind.
  CHECK_FALSE(FileSystem::posix().exists(layout().abort()).value());
}

}  // namespace rmq::storage
