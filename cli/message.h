// `rmq message`: send (message_send.cpp), tail (message_tail.cpp), get and query
// (message_get.cpp).
#pragma once

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

void add_message_commands(const Command& root, Console& console);

// The verbs of `message`.
void add_message_send(const Command& noun, Console& console);
void add_message_tail(const Command& noun, Console& console);
void add_message_get(const Command& noun, Console& console);

}  // namespace rmq::cli
