// What tests of reigns do to a store.
#pragma once

#include <string>
#include <vector>

#include "tests/support/store_pair.h"

namespace rmq::test {

inline const Error kReignOver{std::make_error_code(std::errc::operation_canceled),
                              "another one is master"};

// One reign ends, the next one begins.
inline void change_reign(storage::MessageStore& store, storage::MessageStore::Reign reign,
                         std::optional<PhysicalOffset> cut = {}) {
  store.end_reign(kReignOver);
  const Result<> begun = store.begin_reign(reign, cut);
  REQUIRE_MESSAGE(begun.has_value(), (begun ? "" : begun.error().message()));
}

inline std::vector<std::string> diverged_files(const StoreFixture& fixture) {
  return *FileSystem::posix().list(fixture.layout().diverged());
}

// Messages in queues 0 and 1 of topic T, one by one; where each ends.
inline std::vector<PhysicalOffset> fill_queues(StoreFixture& fixture, int count,
                                               const std::string& what) {
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < count; ++i) {
    const Appended appended = fixture.append("T", i % 2, {what + std::to_string(i)}, "tag");
    REQUIRE(appended.outcome);
    ends.push_back(appended.end);
  }
  REQUIRE(fixture.wait_dispatched());
  return ends;
}

}  // namespace rmq::test
