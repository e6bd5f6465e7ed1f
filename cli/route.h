// `rmq route show` (route.cpp), `rmq route watch` (route_watch.cpp).
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_route_commands(const Command& root, Console& console);
void add_route_watch(const Command& noun, Console& console);

}  // namespace rmq::cli
