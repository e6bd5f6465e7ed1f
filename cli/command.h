// What every verb is made of: its options, and a function that does the work and says with which
// exit code it ended.
//
//   struct ListOptions : CommonOptions { std::string cluster; };
//   auto [verb, options] =
//       add_verb<ListOptions>(topic, "list", "Show all topics", "rmq topic list");
//   verb.option("--cluster", options->cluster, "...");
//   run_as(verb, options, console, list_topics);
#pragma once

#include <functional>
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

// Finds out which cluster is meant and connects to nobody yet. On failure it is reported, and the
// result is null.
std::unique_ptr<Session> open_session(CommonOptions& options, Console& console);

// Does `work` once; with --watch again and again, until it fails in a way that no waiting mends.
// `work` writes to the console that it is given.
ExitCode repeat_if_asked(const CommonOptions& options, Console& console,
                         const std::function<ExitCode(Console&)>& work);

// Adds the common options behind the verb's own, and what it does: `work(const Options&, Session&,
// Console&)`.
template <class Options, class Work>
void run_as(const Command& verb, std::shared_ptr<Options> options, Console& console, Work work) {
  add_common_options(verb, *options);
  verb.does([options, &console, work] {
    std::unique_ptr<Session> session = open_session(*options, console);
    if (session == nullptr) return finish(ExitCode::Usage);
    const ExitCode code = repeat_if_asked(*options, console, [&](Console& to) {
      return work(static_cast<const Options&>(*options), *session, to);
    });
    session.reset();
    finish(code);
  });
}

// The same for what only reads: it has --watch.
template <class Options, class Work>
void run_as_reader(const Command& verb, std::shared_ptr<Options> options, Console& console,
                   Work work) {
  add_watch_option(verb, *options);
  run_as(verb, std::move(options), console, std::move(work));
}

}  // namespace rmq::cli
