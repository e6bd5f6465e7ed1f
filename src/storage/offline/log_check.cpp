#include "storage/offline/log_check.h"

#include <algorithm>

#include "storage/placeholder.h"

namespace rmq::storage::offline {
namespace {

using Kind = RecordVerdict::Kind;

constexpr std::int64_t kReportBytes = 8 * 1024 * 1024;

}  // namespace

Result<> LogCheck::run() {
  position_ = end_ = survey_.log_begin();
  for (const PositionFile& segment : survey_.segments) {
    const PhysicalOffset base{segment.position};
    RMQ_CHECK(check_file(segment, &segment == &survey_.segments.back()));
    if (ended_) continue;
    position_ = base;
    RMQ_CHECK(walk(base + survey_.segment_bytes));
  }
  if (!ended_) end_ = survey_.capacity_end();
  report(true);
  return check_tail(why_ended_);
}

Result<> LogCheck::check_file(const PositionFile& segment, bool last) {
  const std::string path = survey_.segment_path(segment.position);
  const std::int64_t length = survey_.segment_bytes;
  if (segment.position % length != 0) {
    findings_.add({FindingKind::LogFile, Harm::Nothing, path, 0,
                   "segments have " + std::to_string(length) + " bytes, and no one begins here"});
  }
  if (segment.bytes != length) {
    const bool tolerable = last && segment.bytes < length;
    findings_.add({FindingKind::LogFile, tolerable ? Harm::Note : Harm::Nothing, path, 0,
                   std::to_string(segment.bytes) + " bytes instead of " + std::to_string(length)});
  }
  if (!ended_ && segment.position != survey_.segments.front().position &&
      PhysicalOffset{segment.position} != position_) {
    findings_.add({FindingKind::LogFile, Harm::Messages, survey_.segment_path(position_.value), 0,
                   "missing: the next segment is " + position_file_name(segment.position)});
  }
  return {};
}

// Leaves position_ at `segment_end`, or the log ended.
Result<> LogCheck::walk(PhysicalOffset segment_end) {
  while (position_ < segment_end && !ended_) {
    const PhysicalOffset at = position_;
    RMQ_TRY(const RecordVerdict verdict, check_record(log_, at));
    note_unreadable();
    if (verdict.kind == Kind::Blank) {
      position_ = segment_end;
    } else if (verdict.kind == Kind::Sound) {
      RMQ_CHECK(take(verdict, false));
      position_ += verdict.size;
    } else {
      RMQ_CHECK(judge(verdict));
    }
    if (hooks_.on_passed) RMQ_CHECK(hooks_.on_passed(at, position_, verdict.kind == Kind::Sound));
    report(false);
  }
  return {};
}

Result<> LogCheck::take(const RecordVerdict& verdict, bool damaged) {
  if (!damaged) {
    ++records_;
    placeholders_ += is_placeholder(verdict.record) ? 1 : 0;
    if (first_timestamp_ms_ == 0) first_timestamp_ms_ = verdict.record.store_timestamp_ms;
    last_timestamp_ms_ = std::max(last_timestamp_ms_, verdict.record.store_timestamp_ms);
  }
  return hooks_.on_record(verdict.record, damaged);
}

// No sound record lies at position_: is it damage, or the end?
Result<> LogCheck::judge(const RecordVerdict& verdict) {
  const bool bordered = verdict.kind == Kind::Damaged;
  const PhysicalOffset at = position_;
  const PhysicalOffset known = survey_.mark ? survey_.mark->flushed : PhysicalOffset{};
  const std::string why =
      verdict.kind == Kind::Unwritten ? "zeros where a record should be" : verdict.why;
  const auto end_here = [&] {
    ended_ = true;
    end_ = at;
    why_ended_ = verdict.kind == Kind::Unwritten ? "" : verdict.why;
  };
  if (survey_.mark && at >= known) {
    end_here();
    return {};
  }
  PhysicalOffset next = at + (bordered ? verdict.size : 0);
  std::int64_t timestamp_ms = last_timestamp_ms_;
  if (!survey_.mark || !bordered || next > known) {
    RMQ_TRY(const std::optional<SoundPlace> behind, find_behind(bordered ? next : at + 1));
    if (!behind && !survey_.mark) {
      end_here();
      return {};
    }
    if (!survey_.mark) {
      // Older than the last sound record: Java has left it behind when it cut the log earlier.
      const bool left_behind = behind->store_timestamp_ms < last_timestamp_ms_;
      const std::int64_t safe_ms = survey_.checkpoint ? survey_.checkpoint->safe_timestamp_ms() : 0;
      if (left_behind || (survey_.unclean && behind->store_timestamp_ms > safe_ms)) {
        end_here();
        return {};
      }
    }
    if (!bordered) next = behind && behind->at < known ? behind->at : known;
    if (!bordered && !survey_.mark) next = behind->at;
    if (timestamp_ms == 0 && behind) timestamp_ms = behind->store_timestamp_ms;
  }
  if (bordered && verdict.names_queue) RMQ_CHECK(take(verdict, true));
  add_range(next, why, timestamp_ms);
  return {};
}

// The next sound record, in this segment or a later one. A blank counts when a record follows.
Result<std::optional<SoundPlace>> LogCheck::find_behind(PhysicalOffset from) {
  std::optional<SoundPlace> found;
  const PhysicalOffset segment_end = log_.segment_end(position_);
  if (from < segment_end) {
    RMQ_TRY(found, find_sound(log_, from));
  }
  note_unreadable();
  if (found && (!found->blank || survey_.mark)) return found;
  for (const PositionFile& segment : survey_.segments) {
    if (PhysicalOffset{segment.position} < segment_end) continue;
    RMQ_TRY(std::optional<SoundPlace> first, find_sound(log_, PhysicalOffset{segment.position}));
    note_unreadable();
    if (!first) continue;
    if (found) {
      first->at = found->at;
      first->blank = true;
    }
    return first;
  }
  return std::optional<SoundPlace>();
}

// [position_, to), or what this segment has of it: the next one is judged by itself.
void LogCheck::add_range(PhysicalOffset to, const std::string& why, std::int64_t timestamp_ms) {
  const PhysicalOffset end = std::min(to, log_.segment_end(position_));
  ranges_.push_back({position_, end, why, timestamp_ms});
  position_ = end;
}

void LogCheck::note_unreadable() {
  for (const PhysicalOffset at : log_.take_unreadable()) {
    const PositionFile* segment = survey_.segment_of(at);
    findings_.add({FindingKind::Record, Harm::Messages, survey_.segment_path(segment->position),
                   at.value, "cannot be read: the disk reports an error"});
  }
}

void LogCheck::report(bool force) {
  const std::int64_t done = position_ - survey_.log_begin();
  if (!hooks_.on_progress || (!force && done - reported_ < kReportBytes)) return;
  reported_ = done;
  hooks_.on_progress(done);
}

// What lies behind the end, where only zeros should.
Result<> LogCheck::check_tail(const std::string& why) {
  for (const PositionFile& segment : survey_.segments) {
    const PhysicalOffset base{segment.position};
    if (base + survey_.segment_bytes <= end_) continue;
    PhysicalOffset at = std::max(base, end_);
    for (const PhysicalOffset end = base + survey_.segment_bytes; at < end;) {
      RMQ_TRY(at, log_.next_data(at));
      if (at >= end) break;
      RMQ_TRY(const ByteView bytes, log_.view(at, 1));
      if (bytes.empty()) break;
      const auto data =
          std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
      at += data - bytes.begin();
      if (data == bytes.end()) continue;
      findings_.add(
          {FindingKind::Tail, Harm::Note, survey_.segment_path(segment.position), at - base,
           "bytes behind the end of the log at " + std::to_string(end_.value) +
               (why.empty() ? "" : " (" + why + ")") + "; a start after a crash removes them"});
      return {};
    }
  }
  return {};
}

}  // namespace rmq::storage::offline
