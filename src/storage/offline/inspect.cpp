#include "storage/offline/inspect.h"

#include <algorithm>

#include "storage/offline/queue_reader.h"
#include "storage/offline/record_check.h"

namespace rmq::storage::offline {
namespace {

using Kind = RecordVerdict::Kind;

constexpr std::size_t kWindowBytes = 1024 * 1024;
constexpr std::size_t kEntriesPerRead = 64;

struct QueueBounds {
  QueueSummary summary;
  PhysicalOffset covered;  // the end of its last record
};

Result<QueueBounds> bounds_of(FileSystem& files, const Survey& survey, const QueueFiles& queue) {
  QueueReader reader(files, queue, survey.queue_file_bytes, kEntriesPerRead);
  RMQ_CHECK(reader.find_bounds());
  QueueBounds bounds{{queue.topic, queue.queue_id, 0, reader.end(), queue.files.size()}, {}};
  // Entries are in the order of the log.
  std::int64_t low = reader.begin();
  std::int64_t high = reader.end();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    RMQ_TRY(const ConsumeQueueEntry entry, reader.at(middle));
    if (!is_filler(entry) && entry.physical >= survey.log_begin()) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  bounds.summary.min = low;
  if (reader.end() > reader.begin()) {
    RMQ_TRY(const ConsumeQueueEntry last, reader.at(reader.end() - 1));
    if (is_valid(last) && !is_filler(last)) bounds.covered = last.physical + last.size;
  }
  return bounds;
}

// Follows the records from `from` on; false when there is none.
Result<bool> follow(LogBytes& log, PhysicalOffset from, Inspection& found) {
  bool any = false;
  PhysicalOffset at = from;
  while (at < found.survey.capacity_end()) {
    RMQ_TRY(const RecordVerdict verdict, check_record(log, at));
    if (verdict.kind == Kind::Blank) {
      at = log.segment_end(at);
      continue;
    }
    if (verdict.kind != Kind::Sound) break;
    any = true;
    at += verdict.size;
    found.log_end = at;
    found.last_timestamp_ms = verdict.record.store_timestamp_ms;
  }
  return any;
}

Result<> find_end(LogBytes& log, PhysicalOffset covered, Inspection& found) {
  const Survey& survey = found.survey;
  // The newest segment with records, and what marks and queues know about it.
  for (auto segment = survey.segments.rbegin(); segment != survey.segments.rend(); ++segment) {
    const PhysicalOffset base{segment->position};
    RMQ_TRY(const RecordVerdict first, check_record(log, base));
    if (first.kind != Kind::Sound) continue;
    const PhysicalOffset end = base + survey.segment_bytes;
    found.log_end = base;
    const LogMark* mark = survey.mark ? &*survey.mark : nullptr;
    const bool marked = mark != nullptr && mark->last_record_bytes > 0 &&
                        mark->last_record >= base && mark->dispatched <= end;
    if (marked) {
      RMQ_TRY(const bool there, follow(log, mark->last_record, found));
      if (there && found.log_end >= covered) return {};
    }
    RMQ_TRY([[maybe_unused]] const bool any, follow(log, base, found));
    return {};
  }
  found.log_end = found.log_begin;
  return {};
}

}  // namespace

Result<Inspection> inspect(FileSystem& files, const StorePlace& place) {
  RMQ_TRY(Survey surveyed, survey(files, place));
  Inspection found(std::move(surveyed));
  found.log_begin = found.survey.log_begin();
  PhysicalOffset covered;
  for (const QueueFiles& queue : found.survey.queues) {
    const Result<QueueBounds> bounds = bounds_of(files, found.survey, queue);
    // Deleted meanwhile.
    if (!bounds && bounds.error().code == std::errc::no_such_file_or_directory) continue;
    if (!bounds) return fail(bounds.error());
    covered = std::max(covered, bounds->covered);
    found.queues.push_back(bounds->summary);
  }
  LogBytes log(files, found.survey, kWindowBytes);
  RMQ_TRY(const RecordVerdict first, check_record(log, found.log_begin));
  if (first.kind == Kind::Sound) found.first_timestamp_ms = first.record.store_timestamp_ms;
  RMQ_CHECK(find_end(log, covered, found));
  return found;
}

}  // namespace rmq::storage::offline
