// `rmq namesrv kv` (namesrv_kv.cpp) and `rmq namesrv config` (namesrv.cpp): what name servers keep.
// They are independent of each other: what is set is set on each, what is shown is what each has.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_namesrv_commands(const Command& root, Console& console);
void add_namesrv_kv(const Command& noun, Console& console);

}  // namespace rmq::cli
