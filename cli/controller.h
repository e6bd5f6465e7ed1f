// `rmq controller`: who leads, the broker sets, their masters, and an operator's changes of them.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_controller_commands(const Command& root, Console& console);

}  // namespace rmq::cli
