// LogCheck: reads the whole commit log, record by record, and hands each to whoever checks
// something against it. Behind a damaged place it goes on with the next sound record. Where the log
// ends is judged as recovery does: what was known to be on disk (our log mark, else Java's
// checkpoint) and is not sound is damage; anything else at the end is a torn tail, which the next
// start cuts. Threads: one. Memory: one window of the log.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protocol/message_record.h"
#include "storage/offline/finding.h"
#include "storage/offline/record_check.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

// Bytes of one segment that are no sound record; sound records, or nothing, around them.
struct DamagedRange {
  PhysicalOffset from;
  PhysicalOffset to;
  std::string why;
  std::int64_t timestamp_ms = 0;  // store time of a sound record near to it
};

class LogCheck {
 public:
  struct Hooks {
    // Sound, or with `damaged` only in its borders.
    std::function<Result<>(const protocol::MessageRecord& record, bool damaged)> on_record;
    // A record, blank or damaged range was passed; `sound`: a record. In log order, and on_record()
    // is done with it; an empty range is the log's end. May be empty.
    std::function<Result<>(PhysicalOffset begin, PhysicalOffset end, bool sound)> on_passed;
    // Bytes looked at, now and then. May be empty.
    std::function<void(std::int64_t bytes)> on_progress;
  };

  LogCheck(LogBytes& log, const Survey& survey, Findings& findings, Hooks hooks)
      : log_(log), survey_(survey), findings_(findings), hooks_(std::move(hooks)) {}

  Result<> run();

  PhysicalOffset end() const { return end_; }
  std::int64_t records() const { return records_; }
  std::int64_t placeholders() const { return placeholders_; }
  std::int64_t first_timestamp_ms() const { return first_timestamp_ms_; }
  std::int64_t last_timestamp_ms() const { return last_timestamp_ms_; }
  // In log order.
  std::vector<DamagedRange>& ranges() { return ranges_; }

 private:
  Result<> check_file(const PositionFile& segment, bool last);
  Result<> walk(PhysicalOffset segment_end);
  Result<> take(const RecordVerdict& verdict, bool damaged);
  Result<> judge(const RecordVerdict& verdict);
  Result<std::optional<SoundPlace>> find_behind(PhysicalOffset from);
  void add_range(PhysicalOffset to, const std::string& why, std::int64_t timestamp_ms);
  Result<> check_tail(const std::string& why);
  void note_unreadable();
  void report(bool force);

  LogBytes& log_;
  const Survey& survey_;
  Findings& findings_;
  const Hooks hooks_;

  PhysicalOffset position_;
  bool ended_ = false;
  PhysicalOffset end_;
  std::string why_ended_;
  std::int64_t reported_ = 0;
  std::int64_t records_ = 0;
  std::int64_t placeholders_ = 0;
  std::int64_t first_timestamp_ms_ = 0;
  std::int64_t last_timestamp_ms_ = 0;
  std::vector<DamagedRange> ranges_;
};

}  // namespace rmq::storage::offline
