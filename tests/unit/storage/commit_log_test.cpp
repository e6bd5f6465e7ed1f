#include "storage/commit_log.h"

#include <doctest/doctest.h>

#include <array>

#include "storage/layout.h"
#include "tests/support/store_fixture.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kSegment = 96 * 1024;
constexpr std::int64_t kAhead = 64 * 1024;

struct ZerosFixture {
  ZerosFixture() {
    REQUIRE(log.load());
    REQUIRE(log.cut({}, {}));
  }

  std::string path(std::int64_t segment) const {
    return test_directory / ("log/" + position_file_name(segment * kSegment));
  }
  void write(std::int64_t at, std::size_t bytes) {
    const std::string text(bytes, 'x');
    const std::array<ByteView, 2> parts{as_bytes(text).first(bytes / 2),
                                        as_bytes(text).subspan(bytes / 2)};
    REQUIRE(log.write(parts, PhysicalOffset{at}));
  }
  // A byte that no write has put there.
  void put(std::int64_t at) {
    test::overwrite(path(at / kSegment), at % kSegment, as_bytes(std::string_view("?")));
  }
  char byte(std::int64_t at) const {
    const auto bytes = read_file(FileSystem::posix(), path(at / kSegment));
    REQUIRE(bytes);
    REQUIRE(std::ssize(*bytes) == kSegment);
    return static_cast<char>((*bytes)[static_cast<std::size_t>(at % kSegment)]);
  }

  test::TempDirectory test_directory;
  FileCache cache{FileSystem::posix(), 4};
  LogDirectories directories{FileSystem::posix(), {test_directory / "log"}, {}};
  CommitLog log{cache, directories, kSegment};
};

}  // namespace

TEST_CASE_FIXTURE(ZerosFixture, "commit log: a write to new ground puts zeros behind it, once") {
  put(kAhead - 1);
  put(kAhead);
  write(0, 100);
  CHECK(byte(99) == 'x');
  CHECK(byte(kAhead - 1) == 0);
  CHECK(byte(kAhead) == '?');
  put(kAhead - 1);
  write(100, 1000);
  CHECK(byte(1099) == 'x');
  CHECK(byte(kAhead - 1) == '?');
}

TEST_CASE_FIXTURE(ZerosFixture, "commit log: zeros end where the segment does") {
  write(0, 10);
  write(10, static_cast<std::size_t>(kAhead));
  CHECK(byte(kSegment - 1) == 0);
  write(kAhead + 10, static_cast<std::size_t>(kSegment - kAhead - 10));
  CHECK(byte(kSegment - 1) == 'x');
  REQUIRE(log.roll());
  put(kSegment + kAhead - 1);
  write(kSegment, 1);
  CHECK(byte(kSegment) == 'x');
  CHECK(byte(kSegment + kAhead - 1) == 0);
}

}  // namespace rmq::storage
