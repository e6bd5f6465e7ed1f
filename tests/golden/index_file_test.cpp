// Files of the message index, as RocketMQ writes them: the same bytes, and everything found in
// them.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "golden/golden.h"
#include "storage/index_keys.h"
#include "storage/message_index.h"
#include "support/temp_directory.h"

namespace rmq::storage {
namespace {

constexpr IndexShape kShape{7, 10};
constexpr std::string_view kNames[] = {"20231114221320000", "20231114221320001"};
constexpr PhysicalOffset kLogEnd{1'073'800'000};

Bytes golden_file(std::size_t number) {
  return golden::read(number == 0 ? "index_file.bin" : "index_file_full.bin");
}

std::vector<IndexKey> first_keys() {
  return {{index_hash("TopicTest", "k1"), {1073741888}, 1700000000456},
          {index_hash("TopicTest", "k2"), {1073741888}, 1700000000456},
          {index_hash("TopicTest", "k1"), {1073742119}, 1700000005999},
          {index_hash("T\xC3\xA4", "\xF0\x9F\x98\x80"), {1073742210}, 1700000100000}};
}

std::vector<IndexKey> second_keys() {
  // The fourth is the hash that has no absolute value.
  const std::int32_t hashes[] = {
      index_hash("T", "Aa"), index_hash("T", "BB"), index_hash("T", "1"), 0,
      index_hash("T", "8"),  index_hash("T", "Aa"), index_hash("T", ""),  index_hash("T", "x y"),
      index_hash("T", "Aa")};
  std::vector<IndexKey> keys;
  for (const std::int32_t hash : hashes) {
    const auto i = static_cast<std::int64_t>(keys.size());
    keys.push_back({hash, {1073743000 + 100 * i}, 1700000103500 + 750 * i});
  }
  return keys;
}

void put_all(IndexFile& file, const std::vector<IndexKey>& keys) {
  for (const IndexKey& key : keys) REQUIRE(file.put(key));
  REQUIRE(file.write_entries());
  REQUIRE(file.write_table());
}

std::vector<std::int64_t> find(const MessageIndex& index, std::int32_t hash, std::int64_t begin_ms,
                               std::int64_t end_ms) {
  std::vector<std::int64_t> found;
  IndexSearch search{hash, begin_ms, end_ms, [&found](PhysicalOffset at) {
                       found.push_back(at.value);
                       return true;
                     }};
  REQUIRE(index.find(search));
  return found;
}

void write_golden(const std::string& directory) {
  FileSystem& files = FileSystem::posix();
  REQUIRE(files.make_directories(directory));
  for (std::size_t i = 0; i < 2; ++i) {
    auto file = files.open(directory + "/" + std::string(kNames[i]), OpenMode::Create);
    REQUIRE(file);
    REQUIRE((*file)->pwrite(golden_file(i), 0));
  }
}

void check_found(const MessageIndex& index) {
  using Found = std::vector<std::int64_t>;
  constexpr std::int64_t kEnd = 1800000000000;
  CHECK(find(index, index_hash("TopicTest", "k1"), 0, kEnd) == Found{1073742119, 1073741888});
  CHECK(find(index, index_hash("TopicTest", "k2"), 0, kEnd) == Found{1073741888});
  CHECK(find(index, index_hash("T\xC3\xA4", "\xF0\x9F\x98\x80"), 0, kEnd) == Found{1073742210});
  CHECK(find(index, index_hash("T", "Aa"), 0, kEnd) ==
        Found{1073743800, 1073743500, 1073743100, 1073743000});
  CHECK(find(index, 0, 0, kEnd) == Found{1073743300});
  CHECK(find(index, index_hash("T", "8"), 0, kEnd) == Found{1073743400});
  CHECK(find(index, index_hash("T", "9"), 0, kEnd).empty());
  CHECK(find(index, index_hash("TopicTest", "k1"), 0, 1700000004000) == Found{1073741888});
}

}  // namespace

TEST_CASE("golden index file: writing gives RocketMQ's bytes") {
  const test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  auto first = IndexFile::create(files, directory / "1", kShape, {});
  REQUIRE(first);
  put_all(**first, first_keys());
  CHECK(read_file(files, directory / "1").value() == golden_file(0));
  auto second = IndexFile::create(files, directory / "2", kShape, (*first)->header());
  REQUIRE(second);
  put_all(**second, second_keys());
  CHECK((*second)->full());
  CHECK(read_file(files, directory / "2").value() == golden_file(1));
}

TEST_CASE("golden index file: what is added to RocketMQ's file is as if rmq had begun it") {
  const test::TempDirectory directory;
  FileSystem& files = FileSystem::posix();
  write_golden(directory / "index");
  const std::string path = directory / ("index/" + std::string(kNames[0]));
  auto java = IndexFile::open(files, path, kShape);
  REQUIRE(java);
  const Bytes golden = golden_file(0);
  Bytes header;
  encode_index_header((*java)->header(), header);
  CHECK(std::equal(header.begin(), header.end(), golden.begin()));
  auto own = IndexFile::create(files, directory / "own", kShape, {});
  REQUIRE(own);
  put_all(**own, first_keys());
  std::vector<IndexKey> more = second_keys();
  more.resize(5);
  put_all(**own, more);
  put_all(**java, more);
  CHECK((*java)->full());
  CHECK(read_file(files, path).value() == read_file(files, directory / "own").value());
}

TEST_CASE("golden index file: everything is found in RocketMQ's files") {
  log::set_level(log::Level::Error);
  ManualClock clock;
  const test::TempDirectory directory;
  const std::string path = directory / "index";
  write_golden(path);
  IndexSituation situation;
  SUBCASE("after a stop") { situation.clean = true; }
  SUBCASE("after a crash: checked, and left as it is") {}
  situation.log_end = kLogEnd;
  MessageIndex index(FileSystem::posix(), path, kShape, clock);
  REQUIRE(index.open(situation));
  check_found(index);
  CHECK(index.position() == second_keys().back().physical);
  CHECK(index.last().store_timestamp_ms == second_keys().back().store_timestamp_ms);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(read_file(FileSystem::posix(), path + "/" + std::string(kNames[i])).value() ==
          golden_file(i));
  }
  // A full file is not added to.
  const IndexKey key{index_hash("T", "more"), {1073744000}, 1700000200000};
  REQUIRE(index.add({&key, 1}, PhysicalOffset{1073744100}));
  check_found(index);
  CHECK(find(index, key.hash, 0, key.store_timestamp_ms) == std::vector<std::int64_t>{1073744000});
  CHECK(FileSystem::posix().list(path)->size() == 3);
}

}  // namespace rmq::storage
