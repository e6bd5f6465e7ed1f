// What every verb is made of: its options, and a function that does the work and says with which
// exit code it ended.
//
//   struct ListOptions : CommonOptions { std::string cluster; };
//   auto [verb, options] = add_verb<ListOptions>(topic, "list", "Show all topics", "rmq topic
//   list"); verb->add_option("--cluster", options->cluster, "..."); run_as(verb, options, console,
//   list_topics);
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace rmq::cli {

inline CLI::App* add_noun(CLI::App& app, const std::string& name, const std::string& description) {
  CLI::App* noun = app.add_subcommand(name, description);
  noun->require_subcommand(1);
  return noun;
}

// `Options` derives from CommonOptions; the options live as long as the verb's callback.
template <class Options>
std::pair<CLI::App*, std::shared_ptr<Options>> add_verb(CLI::App* noun, const std::string& name,
                                                        const std::string& description,
                                                        const std::string& example) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = noun->add_subcommand(name, description);
  verb->footer("Example:\n  " + example);
  return {verb, std::move(options)};
}

// Adds the common options behind the verb's own, and what it does: `work(const Options&, Session&,
// Console&)`.
template <class Options, class Work>
void run_as(CLI::App* verb, std::shared_ptr<Options> options, Console& console, Work work) {
  add_common_options(*verb, *options);
  verb->callback([options, &console, work] {
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
