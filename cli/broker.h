// `rmq broker`: status (broker_status.cpp), config (broker.cpp), drain (broker_drain.cpp), promote
// and remove (broker_replica.cpp).
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_broker_commands(const Command& root, Console& console);

void add_broker_status(const Command& noun, Console& console);
void add_broker_drain(const Command& noun, Console& console);
void add_broker_replica(const Command& noun, Console& console);

}  // namespace rmq::cli
