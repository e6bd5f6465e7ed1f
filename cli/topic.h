// `rmq topic create`, `rmq topic list`.
#pragma once

#include <CLI/App.hpp>

#include "cli/command_line.h"

namespace rmq::cli {

// `console` must outlive `app`; likewise for the other nouns.
void add_topic_commands(CLI::App& app, Console& console);

}  // namespace rmq::cli
