#include "cli/consent.h"

#include <istream>
#include <ostream>

#include "cli/failure.h"
#include "cli/output.h"

namespace rmq::cli {

void add_consent_options(const Command& verb, Consent& consent) {
  const Option yes = verb.flag("--yes", consent.yes, "Do it without asking");
  verb.flag("--dry-run", consent.dry_run, "Only say what would be done").excludes(yes);
}

std::optional<ExitCode> ask_consent(const Consent& consent, const std::string& what,
                                    const std::string& word, OutputFormat format,
                                    Console& console) {
  if (consent.yes) return std::nullopt;
  if (consent.dry_run) {
    say("would " + what, format, console);
    if (is_for_programs(format)) {
      json::Value value = json::Value::object();
      value.set("dry_run", true).set("would", what);
      print_value(value, format, console);
    }
    return ExitCode::Ok;
  }
  if (console.in == nullptr) {
    return report(
        usage_failure("this would " + what, "Add --yes to do it, --dry-run to see it only."),
        format, console);
  }
  console.err << "rmq: this will " << escape_for_terminal(what) << ".\nType '"
              << escape_for_terminal(word) << "' to do it: " << std::flush;
  std::string typed;
  std::getline(*console.in, typed);
  if (typed == word) return std::nullopt;
  return report(usage_failure("that is not '" + word + "': nothing was done"), format, console);
}

}  // namespace rmq::cli
