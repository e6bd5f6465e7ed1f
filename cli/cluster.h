// `rmq cluster ...`.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_cluster_commands(const Command& root, Console& console);

// The noun below it, from cluster_mode.cpp.
void add_cluster_mode(const Command& cluster, Console& console);

}  // namespace rmq::cli
