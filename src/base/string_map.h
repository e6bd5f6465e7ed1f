// StringMap<V>: an unordered map with string keys that is searched by string_view without making a
// string.
#pragma once

#include <xxhash.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace rmq {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return static_cast<std::size_t>(XXH3_64bits(text.data(), text.size()));
  }
};

template <class V>
using StringMap = std::unordered_map<std::string, V, StringHash, std::equal_to<>>;
using StringSet = std::unordered_set<std::string, StringHash, std::equal_to<>>;

}  // namespace rmq
