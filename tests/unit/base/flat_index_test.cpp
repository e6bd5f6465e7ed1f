#include "base/flat_index.h"

#include <doctest/doctest.h>

#include <string>

using rmq::FlatIndex;

namespace {

const std::string* find(const FlatIndex<std::string>& index, std::uint64_t hash,
                        const std::string& meant) {
  return index.find(hash, [&](const std::string& value) { return value == meant; });
}

}  // namespace

TEST_CASE("flat index: finds what was put, also with equal and neighbouring hashes") {
  FlatIndex<std::string> index;
  CHECK(find(index, 0, "a") == nullptr);
  index.insert(0, "a");
  index.insert(0, "b");  // the same hash
  index.insert(1, "c");  // its slot is taken by "b"
  for (const auto& [hash, value] : {std::pair(0, "a"), std::pair(0, "b"), std::pair(1, "c")}) {
    const std::string* found = find(index, static_cast<std::uint64_t>(hash), value);
    REQUIRE(found != nullptr);
    CHECK(*found == value);
  }
  CHECK(find(index, 64, "c") == nullptr);  // another hash, from the same slot on
  CHECK(find(index, 2, "a") == nullptr);
}

TEST_CASE("flat index: grows, and begins again") {
  FlatIndex<std::string> index;
  // All in the same slot of a small table, and from its end around to its beginning.
  const auto hash_of = [](std::uint64_t number) { return (number << 32) | 63; };
  for (std::uint64_t number = 0; number < 1000; ++number) {
    index.insert(hash_of(number), std::to_string(number));
  }
  for (std::uint64_t number = 0; number < 1000; ++number) {
    CHECK(find(index, hash_of(number), std::to_string(number)) != nullptr);
  }
  index.clear();
  CHECK(find(index, hash_of(1), "1") == nullptr);
  index.insert(hash_of(1), "1");
  CHECK(find(index, hash_of(1), "1") != nullptr);
}
