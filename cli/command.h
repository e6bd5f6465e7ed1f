// What every verb is made of: its options, and a function that does the work and says with which
// exit code it ended.
//
//   struct ListOptions : CommonOptions { std::string cluster; };
//   auto [verb, options] = add_verb<ListOptions>(topic, "list", "Show all topics", "rmq topic
//   list"); verb.option("--cluster", options->cluster, "..."); run_as(verb, options, console,
//   list_topics);
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/options.h"
#include "cli/session.h"

namespace rmq::cli {

// `Options` derives from CommonOptions; the options live as long as the verb's callback.
template <class Options>
std::pair<Command, std::shared_ptr<Options>> add_verb(const Command& noun, const std::string& name,
                                                      const std::string& description,
                                                      const std::string& example) {
  auto options = std::make_shared<Options>();
  const Command verb = noun.subcommand(name, description);
  verb.footer("Example:\n  " + example);
  return {verb, std::move(options)};
}

// Adds the common options behind the verb's own, and what it does: `work(const Options&, Session&,
// Console&)`.
template <class Options, class Work>
void run_as(const Command& verb, std::shared_ptr<Options> options, Console& console, Work work) {
  add_common_options(verb, *options);
  verb.does([options, &console, work] {
    auto session = Session::open(*options);
    if (!session) {
      finish(report(explain(session.error(), "use --namesrv '" + options->namesrv + "'", *options),
                    options->format(), console));
      return;
    }
    const ExitCode code = work(*options, **session, console);
    session->reset();
    finish(code);
  });
}

}  // namespace rmq::cli
