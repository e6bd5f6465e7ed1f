#include "cli/message.h"

#include "cli/command.h"

namespace rmq::cli {

void add_message_commands(CLI::App& app, Console& console) {
  CLI::App* noun = add_noun(app, "message", "Send and read messages");
  add_message_send(noun, console);
  add_message_tail(noun, console);
}

}  // namespace rmq::cli
