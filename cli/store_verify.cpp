// `rmq store verify`.
#include "cli/progress.h"
#include "cli/store.h"
#include "storage/offline/verify.h"

namespace rmq::cli {
namespace {

namespace offline = storage::offline;
using offline::Harm;
using offline::VerifyReport;

struct VerifyStoreOptions : StoreOptions {
  std::int64_t limit = 100;
};

json::Value counts_value(const offline::Findings& findings) {
  json::Value value = json::Value::object();
#define RMQ_FINDING_KIND(kind, text) value.set(text, findings.count_of(offline::FindingKind::kind));
  RMQ_FINDING_KINDS(RMQ_FINDING_KIND)
#undef RMQ_FINDING_KIND
  return value;
}

json::Value value_of(const VerifyReport& found) {
  json::Value value = json::Value::object();
  value.set("directory", found.survey.layout.root()).set("sound", found.findings.sound());
  value.set("log_begin", found.log_begin.value).set("log_end", found.log_end.value);
  value.set("records", found.records).set("placeholders", found.placeholders);
  value.set("queues", found.survey.queues.size()).set("queue_entries", found.queue_entries);
  value.set("index_files", found.survey.index.size()).set("index_entries", found.index_entries);
  value.set("messages_lost", found.messages_lost);
  value.set("damages",
            found.findings.count_of(Harm::Nothing) + found.findings.count_of(Harm::Messages));
  value.set("notes", found.findings.count_of(Harm::Note));
  value.set("counts", counts_value(found.findings));
  value.set("findings", findings_value(found.findings));
  return value;
}

std::string summary_of(const VerifyReport& found) {
  std::string text = std::to_string(found.records) + " records";
  if (found.placeholders > 0) {
    text += " (" + std::to_string(found.placeholders) + " placeholders)";
  }
  text += " from " + std::to_string(found.log_begin.value) + " to " +
          std::to_string(found.log_end.value) + ", " + std::to_string(found.queue_entries) +
          " entries in " + std::to_string(found.survey.queues.size()) + " queues, " +
          std::to_string(found.index_entries) + " in " + std::to_string(found.survey.index.size()) +
          " index files";
  const std::int64_t more =
      found.findings.count() - static_cast<std::int64_t>(found.findings.kept().size());
  if (more > 0) text += "; " + std::to_string(more) + " more findings (--limit)";
  return text + (found.findings.sound() ? ": sound" : "");
}

Listing listing_of(const VerifyReport& found) {
  Listing listing;
  listing.tables.push_back(findings_table(found.findings));
  listing.note = summary_of(found);
  listing.value = value_of(found);
  return listing;
}

Failure damage_failure(const VerifyReport& found) {
  Failure failure;
  failure.exit = ExitCode::Damaged;
  failure.code = "damaged";
  const std::int64_t costly = found.findings.count_of(Harm::Messages);
  failure.message =
      "the store in " + found.survey.layout.root() +
      " is damaged: " + std::to_string(costly + found.findings.count_of(Harm::Nothing)) +
      " findings, " +
      (costly > 0 ? "messages lost: " + std::to_string(found.messages_lost) : "no message is lost");
  failure.hint = "'rmq store repair " + found.survey.layout.root() +
                 " --dry-run' says what can be done about it.";
  return failure;
}

Result<VerifyReport> run_verify(const VerifyStoreOptions& options, const offline::StorePlace& place,
                                Console& console) {
  Progress progress(console, "reading the store");
  offline::VerifyOptions how;
  how.findings_kept = static_cast<std::size_t>(options.limit);
  how.on_progress = [&progress](std::int64_t done, std::int64_t all) {
    constexpr std::int64_t kMiB = 1024 * 1024;
    progress.what("verified " + std::to_string(done / kMiB) + " of " + std::to_string(all / kMiB) +
                  " MiB");
  };
  RMQ_TRY(const std::unique_ptr<File> lock, offline::lock_store(FileSystem::posix(), place));
  return offline::verify(FileSystem::posix(), place, how);
}

ExitCode verify_store(const VerifyStoreOptions& options, const offline::StorePlace& place,
                      Console& console) {
  const auto found = run_verify(options, place, console);
  if (!found) {
    return report(explain_store_error(found.error(), "verify the store", options), options.format(),
                  console);
  }
  show(listing_of(*found), options.format(), console);
  if (found->findings.sound()) return ExitCode::Ok;
  // The listing says it for programs.
  return report(damage_failure(*found), OutputFormat::Table, console);
}

}  // namespace

void add_store_verify(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<VerifyStoreOptions>(
      noun, "verify",
      "Check every record of a stopped server's log, and queues and index against it",
      "rmq store verify ./rmq-data\n"
      "Exit code 0: sound; 6: damaged; others: could not look.");
  verb.option("--limit", options->limit, "Show at most so many findings; all are counted")
      .within(0, 1'000'000)
      .type("N")
      .shows_default();
  run_on_store(verb, options, console, verify_store);
}

}  // namespace rmq::cli
