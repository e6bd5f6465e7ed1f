// Exit codes of every rmq command: programs branch on them, so a number never changes its meaning.
#pragma once

#include <string>

namespace rmq::cli {

// X(enumerator, number, name in JSON errors, meaning for the help)
#define RMQ_EXIT_CODES(X)                                                                      \
  X(Ok, 0, "ok", "done")                                                                       \
  X(Refused, 1, "refused", "a server refused it, and said why")                                \
  X(Usage, 2, "usage", "wrong arguments; nothing was sent")                                    \
  X(Unreachable, 3, "unreachable", "cannot connect, or no answer in time")                     \
  X(NotFound, 4, "not_found", "no such topic, queue, cluster, broker")                         \
  X(Failed, 5, "failed", "a server could not start, or had to stop; a file could not be used") \
  X(Damaged, 6, "damaged", "a store has damage")

enum class ExitCode : int {
#define RMQ_EXIT_CODE(name, number, text, meaning) name = number,
  RMQ_EXIT_CODES(RMQ_EXIT_CODE)
#undef RMQ_EXIT_CODE
};

// "unreachable": the member "kind" of an error in JSON.
const char* exit_code_name(ExitCode code);

// The table above as lines for a help text.
std::string exit_code_help();

// Carries the exit code of a command's work to run_command_line().
struct CommandEnded {
  ExitCode code;
};
// Ends the work of a command; throws CommandEnded unless `code` is Ok.
void finish(ExitCode code);

}  // namespace rmq::cli
