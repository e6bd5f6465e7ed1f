// What a broker says about itself (GET_BROKER_RUNTIME_INFO, 28), in words and units of people.
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/route_body.h"

namespace rmq::cli {

// Title and value, in a fixed order; "-" for what the broker does not say.
std::vector<std::pair<std::string, std::string>> readable_figures(const protocol::KVTable& info);

// A figure that is a number. Nothing when it is missing or something else.
std::optional<std::int64_t> figure_as_int(const protocol::KVTable& info, const std::string& name);

}  // namespace rmq::cli
