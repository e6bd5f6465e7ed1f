// Small questions about text.
#pragma once

#include <cstddef>
#include <string_view>

namespace rmq {

// Whether two texts differ at most in the case of ASCII letters.
inline constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace rmq
