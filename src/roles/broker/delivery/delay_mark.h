// DelayMark: the property RMQ_DELAY_MARK, our own, in every message that came due: which level and
// offset of SCHEDULE_TOPIC_XXXX it was delivered from, so that after a crash the log itself says
// how far delivery had come. Text: "level:offset". Clients cannot set it: what they send loses it.
// Threads: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.h"
#include "protocol/properties.h"

namespace rmq::roles::broker {

// The whole property with its separators: an i32, a colon and an i64 at most.
inline constexpr std::size_t kDelayMarkBytesMax =
    protocol::property::kDelayMark.size() + 2 + 11 + 1 + 20;

struct DelayMark {
  std::int32_t level = 0;
  QueueOffset offset;
  friend bool operator==(const DelayMark&, const DelayMark&) = default;
};

std::string to_text(const DelayMark& mark);
std::optional<DelayMark> parse_delay_mark(std::string_view text);

}  // namespace rmq::roles::broker
