// The command line: nouns, then verbs. Each noun has a file with a function add_<noun>_commands(),
// which hangs its verbs into the tree; a verb's callback does the work and ends with finish(exit
// code).
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace rmq::cli {

// Where a command writes: results to `out`, errors and progress to `err`.
struct Console {
  std::ostream& out;
  std::ostream& err;
  // Whom to ask: somebody at a terminal, or null.
  std::istream* in = nullptr;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

// Runs one command, given without the program's name. Returns its exit code (exit_code.h).
int run_command_line(const std::vector<std::string>& arguments, Console& console);

// docs/cli.md.
std::string command_line_reference();

}  // namespace rmq::cli
