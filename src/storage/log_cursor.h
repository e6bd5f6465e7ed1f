// LogCursor: walks the records of the commit log in order, over blanks and segment ends.
// Threads: one at a time; the log may grow meanwhile.
#pragma once

#include <optional>

#include "protocol/message_record.h"
#include "storage/log_window.h"

namespace rmq::storage {

class LogCursor {
 public:
  // Starts at `from`, the beginning of a record, and reads nothing at or beyond `limit`.
  LogCursor(const CommitLog& log, PhysicalOffset from, PhysicalOffset limit,
            protocol::CheckBody check)
      : window_(log), position_(from), limit_(limit), check_(check) {}

  // The next record; empty at the limit. What it views stays good until the next call. Errors are
  // those of protocol::scan_record and reading; the cursor stays before what it could not read.
  Result<std::optional<protocol::MessageRecord>> next();

  // Where the next record is looked for: behind the last one, or in the next segment.
  PhysicalOffset position() const { return position_; }

 private:
  LogWindow window_;
  PhysicalOffset position_;
  const PhysicalOffset limit_;
  const protocol::CheckBody check_;
};

// Where the next sound record begins at or behind `from`, looking at every byte; empty when there
// is none. For judging what lies behind a hole.
struct FoundRecord {
  PhysicalOffset at;
  std::int64_t store_timestamp_ms = 0;
};
Result<std::optional<FoundRecord>> find_record_behind(const CommitLog& log, PhysicalOffset from);

}  // namespace rmq::storage
