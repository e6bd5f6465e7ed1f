#include "cli/exit_code.h"

namespace rmq::cli {

const char* exit_code_name(ExitCode code) {
  switch (code) {
#define RMQ_EXIT_CODE(name, number, text, meaning) \
  case ExitCode::name:                             \
    return text;
    RMQ_EXIT_CODES(RMQ_EXIT_CODE)
#undef RMQ_EXIT_CODE
  }
  return "unknown";
}

std::string exit_code_help() {
  std::string help = "Exit codes:\n";
#define RMQ_EXIT_CODE(name, number, text, meaning) help += "  " #number "  " meaning "\n";
  RMQ_EXIT_CODES(RMQ_EXIT_CODE)
#undef RMQ_EXIT_CODE
  return help;
}

void finish(ExitCode code) {
  if (code != ExitCode::Ok) throw CommandEnded{code};
}

}  // namespace rmq::cli
