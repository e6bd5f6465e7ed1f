#include "base/file_system.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/temp_directory.h"

namespace rmq {

using test::TempDirectory;

namespace {

std::int64_t blocks(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_blocks;
}

// One that can do all that is asked of it.
bool is_ext4(const std::string& path) {
  struct statfs info {};
  REQUIRE(::statfs(path.c_str(), &info) == 0);
  return info.f_type == EXT4_SUPER_MAGIC;
}

}  // namespace

TEST_CASE("file: what is written is read, in any number of parts") {
  TempDirectory directory;
  auto file = FileSystem::posix().open(directory / "f", OpenMode::CreateExclusive);
  REQUIRE(file);
  std::vector<std::string> texts;
  std::vector<ByteView> parts;
  std::string all;
  for (int i = 0; i < 1500; ++i) texts.push_back("part " + std::to_string(i) + ";");
  for (const std::string& text : texts) {
    parts.push_back(as_bytes(text));
    all += text;
  }
  REQUIRE((*file)->pwritev(parts, 3));
  Bytes back(all.size() + 10);
  const auto got = (*file)->pread(back, 3);
  REQUIRE(got);
  CHECK(*got == all.size());
  CHECK(as_text(ByteView(back).first(*got)) == all);
  CHECK(*(*file)->size() == static_cast<std::int64_t>(all.size()) + 3);
}

TEST_CASE("file: exclusive creation refuses what exists, and opening what does not") {
  TempDirectory directory;
  auto& files = FileSystem::posix();
  REQUIRE(files.open(directory / "f", OpenMode::CreateExclusive));
  const auto again = files.open(directory / "f", OpenMode::CreateExclusive);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == std::errc::file_exists);
  CHECK(again.error().detail.find(directory / "f") != std::string::npos);
  const auto missing = files.open(directory / "g", OpenMode::Write);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == std::errc::no_such_file_or_directory);
}

TEST_CASE("file: allocation, zeroing and the search for data") {
  TempDirectory directory;
  auto file = FileSystem::posix().open(directory / "f", OpenMode::Create);
  REQUIRE(file);
  REQUIRE((*file)->allocate(1 << 20));
  CHECK(*(*file)->size() == 1 << 20);
  const Bytes ones(8192, std::byte{1});
  REQUIRE((*file)->pwrite(ones, 65536));
  const auto data = (*file)->next_data(0);
  REQUIRE(data);
  REQUIRE(*data);
  CHECK(**data <= 65536);  // 0 where the file system cannot tell
  for (const ZeroSpace space : {ZeroSpace::Kept, ZeroSpace::Freed}) {
    CAPTURE(space);
    REQUIRE((*file)->pwrite(ones, 65536));
    const std::int64_t before = blocks(directory / "f");
    REQUIRE((*file)->zero_range(65536 + 100, (1 << 20) - 65536 - 100, space));
    CHECK(*(*file)->size() == 1 << 20);
    if (is_ext4(directory / "f"))
      CHECK((blocks(directory / "f") == before) == (space == ZeroSpace::Kept));
    Bytes back(8192);
    REQUIRE((*file)->pread(back, 65536));
    CHECK(back[99] == std::byte{1});
    CHECK(back[100] == std::byte{0});
    CHECK(back[8191] == std::byte{0});
  }
}

TEST_CASE("file: a mapping sees later writes and outlives file and name") {
  TempDirectory directory;
  auto& files = FileSystem::posix();
  std::shared_ptr<const Mapping> mapping;
  {
    auto file = files.open(directory / "f", OpenMode::Create);
    REQUIRE(file);
    REQUIRE((*file)->truncate(4096));
    auto mapped = (*file)->map(4096);
    REQUIRE(mapped);
    mapping = *mapped;
    REQUIRE((*file)->pwrite(as_bytes("hello"), 10));
  }
  REQUIRE(files.remove(directory / "f"));
  CHECK(as_text(mapping->bytes().subspan(10, 5)) == "hello");
}

TEST_CASE("lock: refused to another open here and to a process lock elsewhere") {
  TempDirectory directory;
  auto& files = FileSystem::posix();
  const std::string path = directory / "lock";
  auto first = files.open(path, OpenMode::Create);
  REQUIRE(first);
  REQUIRE((*first)->try_lock());
  auto second = files.open(path, OpenMode::Create);
  REQUIRE(second);
  CHECK_FALSE((*second)->try_lock());
  const pid_t child = ::fork();
  if (child == 0) {  // what FileChannel.tryLock does
    const int fd = ::open(path.c_str(), O_RDWR);
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_len = 1;
    ::_exit(::fcntl(fd, F_SETLK, &range) == 0 ? 1 : 0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  first->reset();
  CHECK((*second)->try_lock());
}

TEST_CASE("atomic replacement keeps the version before when asked") {
  TempDirectory directory;
  auto& files = FileSystem::posix();
  const std::string path = directory / "f";
  REQUIRE(write_file_atomically(files, path, as_bytes("one"), Backup::Keep));
  CHECK_FALSE(*files.exists(path + ".bak"));
  REQUIRE(write_file_atomically(files, path, as_bytes("2"), Backup::Keep));
  CHECK(*read_text_file(files, path) == "2");
  CHECK(*read_text_file(files, path + ".bak") == "one");
  CHECK_FALSE(*files.exists(path + ".tmp"));
  const auto missing = read_file(files, directory / "none");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == std::errc::no_such_file_or_directory);
}

TEST_CASE("directories: made with their parents, listed in order, removed whole") {
  TempDirectory directory;
  auto& files = FileSystem::posix();
  REQUIRE(files.make_directories(directory / "a/b/c"));
  REQUIRE(files.make_directories(directory / "a/b/c"));
  REQUIRE(files.open(directory / "a/2", OpenMode::Create));
  REQUIRE(files.open(directory / "a/1", OpenMode::Create));
  CHECK(*files.list(directory / "a") == std::vector<std::string>{"1", "2", "b"});
  CHECK(files.list(directory / "none")->empty());
  REQUIRE(files.remove_all(directory / "a"));
  CHECK_FALSE(*files.exists(directory / "a"));
  CHECK(parent_directory("/a/b") == "/a");
  CHECK(parent_directory("/a") == "/");
  CHECK(parent_directory("a") == ".");
  CHECK(parent_directory("a/b/") == "a");
}

}  // namespace rmq
