// `rmq topic create`, `rmq topic list`.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

// `console` must outlive `app`; likewise for the other nouns.
void add_topic_commands(const Command& root, Console& console);

}  // namespace rmq::cli
