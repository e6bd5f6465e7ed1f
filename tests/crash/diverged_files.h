// What a cut of the log must leave: the file of what lay behind, and nothing of that in the log.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/layout.h"
#include "tests/support/crash_file_system.h"
#include "tests/support/store_fixture.h"

namespace rmq::test {

// What a cut that has returned must have kept.
struct Kept {
  PhysicalOffset from;
  PhysicalOffset to;
  Bytes bytes;
};

// The raw log from `from` to its end.
inline Bytes log_bytes(const storage::MessageStore& store, PhysicalOffset from) {
  Bytes bytes;
  for (PhysicalOffset at = from;;) {
    const auto read = store.read_log(at, 1 << 20, storage::MayWait::Yes);
    if (!read || read->bytes.empty()) return bytes;
    bytes.insert(bytes.end(), read->bytes.begin(), read->bytes.end());
    at += static_cast<std::int64_t>(read->bytes.size());
  }
}

// Every file is whole, and all that must be there are.
inline void check_diverged(CrashFileSystem& files, const std::string& directory,
                           const std::vector<Kept>& kept) {
  const auto names = files.list(directory);
  REQUIRE(names);
  std::vector<std::pair<std::string, Bytes>> found;
  for (const std::string& name : *names) {
    if (name.ends_with(".part")) continue;
    CAPTURE(name);
    const std::int64_t from = std::stoll(name.substr(0, 20));
    const std::int64_t to = std::stoll(name.substr(21, 20));
    found.emplace_back(name.substr(0, 41), read_file(files, directory + "/" + name).value());
    CHECK(static_cast<std::int64_t>(found.back().second.size()) == to - from);
  }
  for (const Kept& one : kept) {
    const std::string range = storage::position_file_name(one.from.value) + "-" +
                              storage::position_file_name(one.to.value);
    CAPTURE(range);
    CHECK(std::ranges::find(found, std::pair(range, one.bytes)) != found.end());
  }
}

// Right after a cut at `end`: only zeros lie behind it.
inline void check_nothing_behind(CrashFileSystem& files, const StoreFixture& fixture,
                                 PhysicalOffset end) {
  const std::string directory = fixture.layout().commit_log();
  const auto names = files.list(directory);
  if (!names) return;  // dead
  for (const std::string& name : *names) {
    const std::int64_t base = storage::parse_position_file_name(directory, name).value();
    const auto bytes = read_file(files, directory + "/" + name);
    if (!bytes) return;  // expired, or dead
    const std::int64_t from =
        std::clamp<std::int64_t>(end.value - base, 0, static_cast<std::int64_t>(bytes->size()));
    CAPTURE(name);
    CHECK(std::all_of(bytes->begin() + from, bytes->end(),
                      [](std::byte b) { return b == std::byte{0}; }));
  }
}

}  // namespace rmq::test
