// `rmq group`: consumer groups, how far they are, and who is in them.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/targets.h"

namespace rmq::cli {

void add_group_commands(const Command& root, Console& console);

// `rmq group reset` and `delete`, of group_change.cpp.
void add_group_changes(const Command& noun, Console& console);

struct GroupOptions : TargetOptions {
  std::string group;
};

}  // namespace rmq::cli
