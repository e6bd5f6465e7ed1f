// `rmq context`: names for clusters (contexts.h).
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_context_commands(const Command& root, Console& console);

}  // namespace rmq::cli
