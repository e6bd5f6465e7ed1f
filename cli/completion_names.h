// Names for completion, from the cluster or the user's files. Threads: one; waits for answers.
#pragma once

#include <string>
#include <vector>

#include "cli/completion.h"

namespace rmq::cli {

// Sorted. Empty when nobody answers within half a second, or when `place` wants none.
std::vector<std::string> ask_names(const CompletionPlace& place);

}  // namespace rmq::cli
