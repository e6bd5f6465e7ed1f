// `rmq bench`: load on a server, and what it did with it.
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_bench_commands(const Command& root, Console& console);

// `rmq bench consume`, of bench_consume.cpp.
void add_bench_consume(const Command& noun, Console& console);

// `rmq bench compare`, of bench_compare.cpp.
void add_bench_compare(const Command& noun, Console& console);

}  // namespace rmq::cli
