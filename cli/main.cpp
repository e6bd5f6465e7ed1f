#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.h"

int main(int argc, char** argv) {
  rmq::cli::Console console{std::cout, std::cerr};
  console.out_is_terminal = ::isatty(STDOUT_FILENO) != 0;
  console.err_is_terminal = ::isatty(STDERR_FILENO) != 0;
  if (::isatty(STDIN_FILENO) != 0 && console.err_is_terminal) console.in = &std::cin;
  return rmq::cli::run_command_line(std::vector<std::string>(argv + 1, argv + argc), console);
}
