// `rmq cluster status`.
#pragma once

#include <CLI/App.hpp>

#include "cli/command_line.h"

namespace rmq::cli {

void add_cluster_commands(CLI::App& app, Console& console);

}  // namespace rmq::cli
