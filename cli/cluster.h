// `rmq cluster status`.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_cluster_commands(const Command& root, Console& console);

}  // namespace rmq::cli
