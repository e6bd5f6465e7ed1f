// Nearest names: what somebody who mistyped a command, an option or a topic probably meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rmq::cli {

// Insertions, deletions, replacements and swaps of neighbours that make `a` out of `b`; bytes, not
// characters.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The name in `known` that is nearest to `word`, or "" when none is near enough to be meant: a
// third of the letters may be wrong, and one letter always.
std::string nearest_name(std::string_view word, const std::vector<std::string>& known);

// " Did you mean 'topic'?", or "" when there is no such name.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace rmq::cli
