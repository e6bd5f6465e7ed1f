#include "cli/suggest.h"

#include <algorithm>

namespace rmq::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual matrix: swaps look two rows back.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(word, name);
    if (distance < allowed || (distance == allowed && nearest.empty())) {
      nearest = name;
      allowed = distance;
    }
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(word, known);
  return nearest.empty() ? "" : " Did you mean '" + nearest + "'?";
}

}  // namespace rmq::cli
