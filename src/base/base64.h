// base64 with the alphabet of RFC 4648, section 4, and padding. Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace rmq {

std::string to_base64(ByteView bytes);

// Nothing: `text` is no base64 with its padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace rmq
