// The heap of the process.
// Threads: any.
#pragma once

namespace rmq {

// Gives memory that was freed, and that malloc keeps for later, back to the system: for the end of
// something large that happens once.
void return_free_memory();

}  // namespace rmq
