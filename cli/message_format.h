// A message on one line, as a row or as a JSON value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/render.h"
#include "client/message.h"

namespace rmq::cli {

// At most this many bytes of a body are shown to people.
inline constexpr std::size_t kShownBodyBytes = 1024;

// "2024-05-01 12:00:00.123  broker-a/3 @12  [TagA]  keys=k1,k2  the body": without line feed, and
// without anything that a terminal would obey. A body that is no text is shown as "<20 bytes:
// 00ff...>".
std::string message_line(const client::ReceivedMessage& message);

// A table of messages without rows, and the row of one.
Table message_table();
std::vector<std::string> message_row(const client::ReceivedMessage& message);

// One of a stream of messages: a line, a value, or a row, before which the `first` has the names.
void print_message(const client::ReceivedMessage& message, OutputFormat format, bool first,
                   Console& console);

// All there is. A body that is UTF-8 is "body", any other "body_base64".
json::Value message_json(const client::ReceivedMessage& message);

// "latest", "earliest" and "recent" are not times. Milliseconds since the epoch, or UTC as
// 2024-05-01, 2024-05-01T12:00, 2024-05-01 12:00:00.123, with or without Z.
std::optional<std::int64_t> parse_time_ms(const std::string& text);

}  // namespace rmq::cli
