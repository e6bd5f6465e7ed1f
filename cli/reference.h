// The document of all commands (docs/cli.md), from what their help texts say: a test of the build
// says when it is old. Threads: any.
#pragma once

#include <string>

#include "cli/options.h"

namespace rmq::cli {

std::string command_reference(const Command& root);

}  // namespace rmq::cli
