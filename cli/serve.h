// `rmq serve`: runs the roles of this process until a signal or a fatal error ends it.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

// `console` must outlive `app`.
void add_serve_command(const Command& root, Console& console);

}  // namespace rmq::cli
