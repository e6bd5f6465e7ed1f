// `rmq serve`: runs the roles of this process until a signal or a fatal error ends it.
#pragma once

#include <CLI/App.hpp>

#include "cli/command_line.h"

namespace rmq::cli {

// `console` must outlive `app`.
void add_serve_command(CLI::App& app, Console& console);

}  // namespace rmq::cli
