// Lists of addresses as RocketMQ's files have them: "host:port;host:port".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rmq::roles::broker {

// Without what is empty, and without spaces around each.
std::vector<std::string> split_addresses(std::string_view text);

}  // namespace rmq::roles::broker
