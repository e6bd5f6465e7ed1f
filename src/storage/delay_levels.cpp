#include "storage/delay_levels.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace rmq::storage {
namespace {

using std::chrono::milliseconds;

// A hundred years; keeps sums with a time in range.
constexpr std::int64_t kDelayMaxMs = 100LL * 365 * 24 * 3600 * 1000;

std::optional<milliseconds> unit_of(char name) {
  switch (name) {
    case 's':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::minutes(1);
    case 'h':
      return std::chrono::hours(1);
    case 'd':
      return std::chrono::hours(24);
    default:
      return std::nullopt;
  }
}

std::optional<milliseconds> parse_delay(std::string_view text) {
  const auto unit = unit_of(text.back());
  const char* const end = text.data() + text.size() - 1;
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const bool whole = error == std::errc() && stop == end;
  if (!unit || !whole || number < 0 || number > kDelayMaxMs / unit->count()) return std::nullopt;
  return *unit * number;
}

}  // namespace

Result<DelayLevels> DelayLevels::parse(std::string_view text) {
  DelayLevels levels;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    if (space > 0) {
      const auto delay = parse_delay(text.substr(0, space));
      if (!delay) {
        return fail(std::make_error_code(std::errc::invalid_argument),
                    "messageDelayLevel: " + std::string(text.substr(0, space)));
      }
      levels.delays_.push_back(*delay);
    }
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  if (levels.delays_.empty())
    return fail(std::make_error_code(std::errc::invalid_argument), "messageDelayLevel is empty");
  return levels;
}

}  // namespace rmq::storage
