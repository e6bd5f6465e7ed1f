// Consent to what destroys or moves something: --yes, --dry-run, or a word typed at a terminal.
#pragma once

#include <optional>
#include <string>

#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/exit_code.h"
#include "cli/options.h"

namespace rmq::cli {

struct Consent {
  bool yes = false;
  bool dry_run = false;
};

void add_consent_options(const Command& verb, Consent& consent);

// What stands in the way of a change, if anything. `what` says what would be done; at a terminal
// `word`, the name of what it is done to, has to be typed.
std::optional<ExitCode> ask_consent(const Consent& consent, const std::string& what,
                                    const std::string& word, OutputFormat format, Console& console);

}  // namespace rmq::cli
