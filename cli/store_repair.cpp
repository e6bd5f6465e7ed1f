// `rmq store repair`.
#include "cli/consent.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "storage/offline/repair.h"

namespace rmq::cli {
namespace {

namespace offline = storage::offline;
using offline::PlannedRecord;
using offline::RepairPlan;
using offline::VerifyReport;

// All that a person reads before consenting; the counts are of everything.
constexpr std::size_t kFindingsKept = 10'000;

struct RepairOptions : StoreOptions {
  Consent consent;
};

// What a repair has done so far.
struct Done {
  std::vector<std::string> saved;
  bool repaired = false;
};

std::string queue_name(const std::string& topic, QueueId queue_id) {
  return topic + "/" + std::to_string(queue_id);
}

std::string kind_text(PlannedRecord::Kind kind) {
  switch (kind) {
    case PlannedRecord::Kind::Placeholder:
      return "placeholder";
    case PlannedRecord::Kind::Filler:
      return "filler";
    case PlannedRecord::Kind::Blank:
      return "blank";
  }
  return "";
}

std::string message_text(const PlannedRecord& record) {
  if (record.kind != PlannedRecord::Kind::Placeholder) return "no message that a queue knows";
  return "lost: message " + std::to_string(record.number.value) + " of " +
         queue_name(record.topic, record.queue_id);
}

Table plan_table(const RepairPlan& plan) {
  Table table({{"STEP"}, {"WHERE"}, {"WHAT"}});
  for (const offline::DamagedRange& range : plan.ranges) {
    table.add_row({"save", "log at " + std::to_string(range.from.value),
                   std::to_string(range.to - range.from) + " bytes to rmq/damaged: " + range.why});
  }
  for (const PlannedRecord& record : plan.records) {
    table.add_row({kind_text(record.kind), "log at " + std::to_string(record.at.value),
                   std::to_string(record.size) + " bytes; " + message_text(record)});
  }
  for (const auto& [topic, id] : plan.queues) {
    table.add_row({"make again", queue_name(topic, id), "the consume queue, from the log"});
  }
  for (const std::string& path : plan.index_files) {
    table.add_row({"remove", path, "made again by the server's next start"});
  }
  for (const std::string& text : plan.left) table.add_row({"left", "-", text});
  return table;
}

json::Value records_value(const RepairPlan& plan) {
  json::Value list = json::Value::array();
  for (const PlannedRecord& record : plan.records) {
    json::Value value = json::Value::object();
    value.set("kind", kind_text(record.kind)).set("position", record.at.value);
    value.set("bytes", record.size);
    if (record.kind == PlannedRecord::Kind::Placeholder) {
      value.set("topic", record.topic).set("queue", record.queue_id);
      value.set("offset", record.number.value);
    }
    list.push_back(std::move(value));
  }
  return list;
}

json::Value texts_value(const std::vector<std::string>& texts) {
  json::Value list = json::Value::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

std::string note_of(const RepairPlan& plan, bool repaired) {
  std::string text = repaired ? "repaired" : "";
  if (plan.empty()) text = "nothing to repair";
  if (plan.torn_tail) {
    text += (text.empty() ? "" : "; ") +
            std::string("the torn tail of the log is left to the next start of the server");
  }
  return text;
}

Listing listing_of(const VerifyReport& found, const RepairPlan& plan, const Done& done,
                   bool dry_run) {
  Listing listing;
  listing.tables.push_back(plan_table(plan));
  listing.note = note_of(plan, done.repaired);
  json::Value queues = json::Value::array();
  for (const auto& [topic, id] : plan.queues) queues.push_back(queue_name(topic, id));
  listing.value = json::Value::object();
  listing.value.set("directory", found.survey.layout.root()).set("dry_run", dry_run);
  listing.value.set("repaired", done.repaired).set("messages_lost", plan.placeholders());
  listing.value.set("records", records_value(plan)).set("saved", texts_value(done.saved));
  listing.value.set("queues", std::move(queues));
  listing.value.set("index_files", texts_value(plan.index_files));
  listing.value.set("left", texts_value(plan.left)).set("torn_tail", plan.torn_tail);
  return listing;
}

std::string what_of(const RepairPlan& plan, const std::string& root) {
  std::string text = "give up " + std::to_string(plan.placeholders()) +
                     " messages of the store in " + root + " that are damaged (the bytes of " +
                     std::to_string(plan.ranges.size()) +
                     " places are kept in rmq/damaged), make " +
                     std::to_string(plan.queues.size()) + " consume queues again and remove " +
                     std::to_string(plan.index_files.size()) + " index files";
  return text;
}

Result<VerifyReport> look(const offline::StorePlace& place, Console& console) {
  Progress progress(console, "reading the store");
  offline::VerifyOptions how;
  how.findings_kept = kFindingsKept;
  how.on_progress = [&progress](std::int64_t done, std::int64_t all) {
    constexpr std::int64_t kMiB = 1024 * 1024;
    progress.what("verified " + std::to_string(done / kMiB) + " of " + std::to_string(all / kMiB) +
                  " MiB");
  };
  return offline::verify(FileSystem::posix(), place, how);
}

Failure left_failure(const RepairPlan& plan, const std::string& root) {
  Failure failure;
  failure.exit = ExitCode::Damaged;
  failure.code = "damaged";
  failure.message = "not everything in " + root + " can be repaired: " + plan.left.front();
  if (plan.left.size() > 1) {
    failure.message += " (and " + std::to_string(plan.left.size() - 1) + " more)";
  }
  failure.hint = "Put back what is missing from a backup, or move away what does not belong.";
  return failure;
}

// The plan is shown and somebody has agreed to it.
Result<> carry_out(const offline::StorePlace& place, const VerifyReport& found,
                   const RepairPlan& plan, std::unique_ptr<File> lock, Console& console,
                   Done& done) {
  Progress progress(console, "repairing");
  RMQ_TRY(done.saved, offline::repair(FileSystem::posix(), found.survey, plan));
  lock.reset();
  progress.what("making consume queues from the log");
  RMQ_CHECK(offline::reopen(FileSystem::posix(), place, found.survey));
  done.repaired = true;
  return {};
}

ExitCode repair_store(const RepairOptions& options, const offline::StorePlace& place,
                      Console& console) {
  const auto refuse = [&](const Error& why) {
    return report(explain_store_error(why, "repair the store", options), options.format(), console);
  };
  auto lock = offline::lock_store(FileSystem::posix(), place);
  if (!lock) return refuse(lock.error());
  const auto found = look(place, console);
  if (!found) return refuse(found.error());
  const RepairPlan plan = offline::plan_repair(*found);
  const std::string root = found->survey.layout.root();
  Done done;
  const bool only_look = options.consent.dry_run || plan.empty();
  if (!only_look && !options.consent.yes) {
    if (is_for_people(options.format())) {
      show(listing_of(*found, plan, done, false), options.format(), console);
    }
    const auto refusal =
        ask_consent(options.consent, what_of(plan, root), root, options.format(), console);
    if (refusal) return *refusal;
  }
  if (!only_look) {
    const Result<> carried = carry_out(place, *found, plan, std::move(*lock), console, done);
    if (!carried) return refuse(carried.error());
  }
  const bool shown = !only_look && !options.consent.yes && is_for_people(options.format());
  if (shown) {
    say(note_of(plan, true), options.format(), console);
  } else {
    show(listing_of(*found, plan, done, options.consent.dry_run), options.format(), console);
  }
  if (plan.left.empty()) return ExitCode::Ok;
  return report(left_failure(plan, root), OutputFormat::Table, console);
}

}  // namespace

void add_store_repair(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<RepairOptions>(
      noun, "repair",
      "Make a stopped server's damaged store usable: placeholders for what is lost, queues and "
      "index from the log",
      "rmq store repair ./rmq-data --dry-run");
  add_consent_options(verb, options->consent);
  run_on_store(verb, options, console, repair_store);
}

}  // namespace rmq::cli
