// SlotTable: several pages, of which the last is short.
#include "storage/slot_table.h"

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

#include "tests/support/failing_file_system.h"
#include "tests/support/temp_directory.h"

namespace rmq::storage {
namespace {

constexpr std::int32_t kSlots = 3000;  // three pages
constexpr std::int64_t kFileAt = 40;

struct Fixture {
  std::vector<std::int32_t> on_disk() {
    Bytes bytes(static_cast<std::size_t>(kSlots) * 4);
    REQUIRE(file->pread(bytes, kFileAt));
    std::vector<std::int32_t> values;
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
      values.push_back(load_big_endian<std::int32_t>(bytes.data() + i));
    }
    return values;
  }
  std::int32_t exchange(std::int32_t slot, std::int32_t value) {
    return table.exchange(*file, slot, value).value();
  }
  std::int32_t get(std::int32_t slot) { return table.get(*file, slot).value(); }

  test::TempDirectory directory;
  test::FailingFileSystem files;
  std::unique_ptr<File> file = [this] {
    auto made = files.open(directory / "table", OpenMode::Create);
    REQUIRE((*made)->truncate(kFileAt + kSlots * 4 + 20));
    return std::move(*made);
  }();
  SlotTable table{kSlots, kFileAt, true};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "slot table: changes are in memory until they are written") {
  std::vector<std::int32_t> expected(kSlots);
  for (const std::int32_t slot : {0, 1023, 1024, 2047, 2048, kSlots - 1}) {
    CHECK(get(slot) == 0);
    CHECK(exchange(slot, slot + 1) == 0);
    CHECK(get(slot) == slot + 1);
    expected[static_cast<std::size_t>(slot)] = slot + 1;
  }
  CHECK(table.dirty());
  CHECK(on_disk() == std::vector<std::int32_t>(kSlots));
  REQUIRE(table.write_back(*file));
  CHECK_FALSE(table.dirty());
  CHECK(on_disk() == expected);
  // What lies behind the table is as it was.
  std::byte behind[20];
  REQUIRE(file->pread(behind, kFileAt + kSlots * 4));
  for (const std::byte b : behind) CHECK(b == std::byte{0});
  table.release();
  CHECK(get(2048) == 2049);
  CHECK(exchange(2048, 7) == 2049);
  CHECK(get(2047) == 2048);
}

TEST_CASE_FIXTURE(Fixture, "slot table: neighbouring pages are one write") {
  exchange(0, 1);
  exchange(1024, 1);
  exchange(2048, 1);
  files.plan(test::FileCall::Write, 2, std::errc::io_error);
  REQUIRE(table.write_back(*file));
  REQUIRE(table.write_back(*file));  // nothing to do
  CHECK(files.failures() == 0);
  exchange(5, 2);
  CHECK_FALSE(table.write_back(*file));
  CHECK(table.dirty());
}

TEST_CASE_FIXTURE(Fixture, "slot table: a new table is written where it differs") {
  exchange(1024, 9);
  REQUIRE(table.write_back(*file));
  table.release();
  std::vector<std::int32_t> values = on_disk();
  REQUIRE(table.assign(*file, values));
  CHECK_FALSE(table.dirty());
  std::iota(values.begin() + 1024, values.end(), 1);
  REQUIRE(table.assign(*file, values));
  CHECK(table.dirty());
  CHECK(get(1024) == 1);
  CHECK(get(kSlots - 1) == kSlots - 1024);
  REQUIRE(table.write_back(*file));
  CHECK(on_disk() == values);
}

}  // namespace rmq::storage
