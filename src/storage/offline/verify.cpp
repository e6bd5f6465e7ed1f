#include "storage/offline/verify.h"

#include <algorithm>

#include "base/json.h"
#include "storage/offline/index_check.h"
#include "storage/offline/sums_check.h"
#include "storage/store_lock.h"

namespace rmq::storage::offline {
namespace {

// The names in config/topics.json; nothing when it does not say.
std::optional<StringSet> known_topics(FileSystem& files, const Survey& survey) {
  const auto text = read_text_file(files, survey.layout.config() + "/topics.json");
  if (!text) return std::nullopt;
  const Result<json::Value> parsed = json::parse(*text);
  const json::Value* table = parsed ? parsed->find("topicConfigTable") : nullptr;
  if (table == nullptr || !table->is_object()) return std::nullopt;
  StringSet topics;
  for (const json::Member& member : table->members()) topics.insert(member.key_text());
  return topics;
}

// Where the next start begins to make entries again, by the rules of Recovery.
Result<PhysicalOffset> settled_end(LogBytes& log, const Survey& survey) {
  if (!survey.unclean) return survey.capacity_end();
  if (survey.mark) return survey.mark->dispatched;
  const std::int64_t safe_ms = survey.checkpoint ? survey.checkpoint->safe_timestamp_ms() : 0;
  for (auto segment = survey.segments.rbegin(); segment != survey.segments.rend(); ++segment) {
    const PhysicalOffset base{segment->position};
    RMQ_TRY(const RecordVerdict first, check_record(log, base));
    const std::int64_t stored_ms = first.record.store_timestamp_ms;
    if (first.kind == RecordVerdict::Kind::Sound && stored_ms != 0 && stored_ms <= safe_ms) {
      return base;
    }
  }
  return survey.log_begin();
}

// A sound record that its queue knows as another message: its head is damaged.
Result<bool> is_misnamed(LogBytes& log, const LostMessage& lost, std::string& why,
                         std::int64_t& timestamp_ms) {
  RMQ_TRY(const RecordVerdict verdict, check_record(log, *lost.at));
  const bool fits = verdict.kind == RecordVerdict::Kind::Sound && verdict.size == lost.size;
  if (!fits) return false;
  timestamp_ms = verdict.record.store_timestamp_ms;
  why = "calls itself message " + std::to_string(verdict.record.queue_offset.value) + " of " +
        queue_text(verdict.record.topic, verdict.record.queue_id);
  return true;
}

// Gives each lost message the damaged range that it was in.
class Attribution {
 public:
  Attribution(LogBytes& log, VerifyReport& report) : log_(log), report_(report) {}

  Result<> run(const std::set<PhysicalOffset>& outside) {
    for (LostMessage& lost : report_.lost) {
      if (!lost.at) continue;
      if (lies_in_range(*lost.at)) continue;
      std::string why;
      std::int64_t timestamp_ms = 0;
      RMQ_TRY(const bool misnamed, is_misnamed(log_, lost, why, timestamp_ms));
      if (misnamed) {
        added_.push_back({*lost.at, *lost.at + lost.size, std::move(why), timestamp_ms});
        if (outside.contains(*lost.at)) --report_.outside;
        continue;
      }
      lost.at.reset();
    }
    for (DamagedRange& range : added_) report_.ranges.push_back(std::move(range));
    std::sort(report_.ranges.begin(), report_.ranges.end(),
              [](const DamagedRange& a, const DamagedRange& b) { return a.from < b.from; });
    std::sort(report_.lost.begin(), report_.lost.end(),
              [](const LostMessage& a, const LostMessage& b) {
                return a.at.value_or(a.before) < b.at.value_or(b.before);
              });
    return {};
  }

 private:
  bool lies_in_range(PhysicalOffset at) const {
    const auto& ranges = report_.ranges;
    const auto behind = std::upper_bound(
        ranges.begin(), ranges.end(), at,
        [](PhysicalOffset place, const auto& range) { return place < range.from; });
    return behind != ranges.begin() && at < std::prev(behind)->to;
  }

  LogBytes& log_;
  VerifyReport& report_;
  std::vector<DamagedRange> added_;
};

std::string text_of(const LostMessage& lost) {
  return "message " + std::to_string(lost.number.value) + " of " +
         queue_text(lost.topic, lost.queue_id);
}

void add_range_findings(VerifyReport& report) {
  auto lost = report.lost.begin();
  for (const DamagedRange& range : report.ranges) {
    std::string messages;
    std::size_t count = 0;
    while (lost != report.lost.end() && (!lost->at || *lost->at < range.from)) ++lost;
    for (; lost != report.lost.end(); ++lost) {
      if (!lost->at) continue;
      if (*lost->at >= range.to) break;
      if (count++ < 3) messages += (messages.empty() ? ": " : ", ") + text_of(*lost);
    }
    if (count > 3) messages += " and " + std::to_string(count - 3) + " more";
    const PositionFile* segment = report.survey.segment_of(range.from);
    report.findings.add(
        {FindingKind::Record, Harm::Messages,
         report.survey.segment_path(segment == nullptr ? 0 : segment->position), range.from.value,
         std::to_string(range.to - range.from) + " bytes: " + range.why + messages});
  }
  for (const LostMessage& message : report.lost) {
    if (message.at) continue;
    report.findings.add({FindingKind::LostMessage, Harm::Messages, "", message.before.value,
                         text_of(message) + " is not in the log; it was between " +
                             std::to_string(std::max<std::int64_t>(0, message.after.value)) +
                             " and " + std::to_string(message.before.value)});
  }
}

Result<> check_all(FileSystem& files, const StorePlace& place, const VerifyOptions& options,
                   VerifyReport& report) {
  const Survey& survey = report.survey;
  RMQ_TRY(DelayLevels delays, DelayLevels::parse(place.config.message_delay_level));
  LogBytes window(files, survey);
  RMQ_TRY(const PhysicalOffset settled, settled_end(window, survey));
  QueueCheck queues({files, survey, std::move(delays), settled, known_topics(files, survey)},
                    report.findings);
  IndexCheck index(files, survey, report.findings);
  LogCheck::Hooks hooks;
  hooks.on_record = [&](const protocol::MessageRecord& record, bool damaged) -> Result<> {
    RMQ_CHECK(queues.on_record(record, damaged));
    return damaged ? Result<>() : index.on_record(record);
  };
  SumsCheck sums(files, window, survey, report.findings);
  hooks.on_passed = [&sums](PhysicalOffset begin, PhysicalOffset end, bool sound) {
    return sums.on_passed(begin, end, sound);
  };
  if (options.on_progress) {
    const std::int64_t all = survey.capacity_end() - survey.log_begin();
    hooks.on_progress = [&options, all](std::int64_t done) { options.on_progress(done, all); };
  }
  LogCheck log(window, survey, report.findings, std::move(hooks));
  RMQ_CHECK(queues.open());
  RMQ_CHECK(index.open());
  RMQ_CHECK(log.run());
  RMQ_CHECK(queues.finish(log.end()));
  RMQ_CHECK(index.finish(log.end()));

  report.log_end = log.end();
  report.records = log.records();
  report.placeholders = log.placeholders();
  report.queue_entries = queues.entry_count();
  report.index_entries = index.entry_count();
  report.messages_lost = queues.lost_count();
  report.outside = queues.outside_count();
  report.ranges = std::move(log.ranges());
  report.lost = std::move(queues.lost());
  report.broken_queues = queues.broken();
  report.first_broken_index = index.first_broken();
  return Attribution(window, report).run(queues.outside());
}

}  // namespace

Result<std::unique_ptr<File>> lock_store(FileSystem& files, const StorePlace& place) {
  return StoreLock::lock_only(files, Layout(place.config));
}

Result<VerifyReport> verify(FileSystem& files, const StorePlace& place,
                            const VerifyOptions& options) {
  RMQ_TRY(Survey surveyed, survey(files, place));
  VerifyReport report(std::move(surveyed), options.findings_kept);
  report.log_begin = report.survey.log_begin();
  for (const std::string& path : report.survey.foreign) {
    report.findings.add({FindingKind::LogFile, Harm::Nothing, path, 0,
                         "does not belong there and stops the start: move it away"});
  }
  if (report.survey.segments.empty() && !report.survey.queues.empty()) {
    report.findings.add({FindingKind::LogFile, Harm::Messages, report.survey.log_directories(), 0,
                         "no segments, but there are consume queues; a log that lies elsewhere is "
                         "found with the server's file of settings"});
    return report;
  }
  RMQ_CHECK(check_all(files, place, options, report));
  add_range_findings(report);
  if (report.outside > 0) {
    report.findings.add({FindingKind::Outside, Harm::Note, "", 0,
                         std::to_string(report.outside) +
                             " messages are in no queue: of topics that were deleted, or of a "
                             "number that was given twice"});
  }
  return report;
}

}  // namespace rmq::storage::offline
