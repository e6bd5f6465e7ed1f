#include "cli/message.h"

#include "cli/command.h"

namespace rmq::cli {

void add_message_commands(const Command& root, Console& console) {
  const Command noun = root.noun("message", "Send and read messages");
  add_message_send(noun, console);
  add_message_tail(noun, console);
  add_message_get(noun, console);
}

}  // namespace rmq::cli
