// `rmq store`: tools for a store directory, ours or a Java broker's: inspect (store_inspect.cpp),
// verify (store_verify.cpp), repair (store_repair.cpp) and salvage (store_salvage.cpp).
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "storage/offline/finding.h"
#include "storage/offline/survey.h"

namespace rmq::cli {

void add_store_commands(const Command& root, Console& console);

struct StoreOptions : CommonOptions {
  std::string directory;
  std::string config;
};

// The verbs of `store` in files of their own.
void add_store_inspect(const Command& noun, Console& console);
void add_store_verify(const Command& noun, Console& console);
void add_store_repair(const Command& noun, Console& console);
void add_store_salvage(const Command& noun, Console& console);

// Which store.
void add_place_options(const Command& verb, StoreOptions& options);
// That, and --output.
void add_store_options(const Command& verb, StoreOptions& options);

// The store that is meant: the directory that was given, or the one below it that `rmq serve
// --data` would use; else what the file of settings says; else where `rmq serve` keeps it. Errors:
// ConfigErrc.
Result<storage::offline::StorePlace> find_store(const StoreOptions& options);

// For what went wrong with the store itself.
Failure explain_store_error(const Error& error, const std::string& task,
                            const StoreOptions& options);

Table findings_table(const storage::offline::Findings& findings);
json::Value findings_value(const storage::offline::Findings& findings);

// Does `work(const Options&, const StorePlace&, Console&)`. Only errors reach the log meanwhile.
template <class Options, class Work>
void run_on_store(const Command& verb, std::shared_ptr<Options> options, Console& console,
                  Work work);

// What run_on_store() does before the work; nothing when it was reported.
std::optional<storage::offline::StorePlace> open_place(const StoreOptions& options,
                                                       Console& console);

template <class Options, class Work>
void run_on_store(const Command& verb, std::shared_ptr<Options> options, Console& console,
                  Work work) {
  add_store_options(verb, *options);
  verb.does([options, &console, work] {
    const auto place = open_place(*options, console);
    if (!place) return finish(ExitCode::Usage);
    finish(work(static_cast<const Options&>(*options), *place, console));
  });
}

}  // namespace rmq::cli
