// YAML 1.2 in block style, from a JSON value. Threads: any.
#pragma once

#include <string>

#include "base/json.h"

namespace rmq::cli {

// A whole document without "---", ended by a line feed. Strings that YAML could take for something
// else are in double quotes, with JSON's escapes.
std::string to_yaml(const json::Value& value);

}  // namespace rmq::cli
