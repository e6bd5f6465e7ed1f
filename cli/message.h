// `rmq message send` (message_send.cpp), `rmq message tail` (message_tail.cpp).
#pragma once

#include <CLI/App.hpp>

#include "cli/command_line.h"

namespace rmq::cli {

void add_message_commands(CLI::App& app, Console& console);

// The verbs of `message`.
void add_message_send(CLI::App* noun, Console& console);
void add_message_tail(CLI::App* noun, Console& console);

}  // namespace rmq::cli
