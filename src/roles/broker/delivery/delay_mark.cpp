#include "roles/broker/delivery/delay_mark.h"

#include <charconv>

namespace rmq::roles::broker {

std::string to_text(const DelayMark& mark) {
  return std::to_string(mark.level) + ":" + std::to_string(mark.offset.value);
}

std::optional<DelayMark> parse_delay_mark(std::string_view text) {
  DelayMark mark;
  const char* const end = text.data() + text.size();
  const auto level = std::from_chars(text.data(), end, mark.level);
  if (level.ec != std::errc() || level.ptr == end || *level.ptr != ':') return std::nullopt;
  const auto offset = std::from_chars(level.ptr + 1, end, mark.offset.value);
  if (offset.ec != std::errc() || offset.ptr != end) return std::nullopt;
  if (mark.level < 1 || mark.offset.value < 0) return std::nullopt;
  return mark;
}

}  // namespace rmq::roles::broker
