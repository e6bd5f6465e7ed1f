// Record check: whether one record of the commit log is sound, and where the next sound one lies.
//
// Java's format has a checksum of the body only. check_record() adds what can be seen in the record
// itself; whoever knows more about it (its consume queue, the index, a checksum kept elsewhere)
// adds that as a further judge, here or in LogCheck.
// Threads: free functions over the caller's memory.
#pragma once

#include <optional>
#include <string>

#include "protocol/message_record.h"
#include "storage/offline/log_bytes.h"

namespace rmq::storage::offline {

struct RecordVerdict {
  enum class Kind {
    Sound,
    Blank,      // the rest of the segment is unused
    Unwritten,  // zeros: the end of the log, or a hole
    Damaged,    // but its borders are right, and `record` is what it says about itself
    Unknown     // no record can be made out
  };
  Kind kind = Kind::Unknown;
  protocol::MessageRecord record;  // Sound and Damaged; views the bytes
  std::int64_t size = 0;           // Sound, Blank and Damaged: bytes
  bool names_queue = false;        // Damaged: the topic may be one
  std::string why;                 // Damaged and Unknown
};

// What lies at `at`. Errors: reading.
Result<RecordVerdict> check_record(LogBytes& log, PhysicalOffset at);

// The judgement of bytes that reach to the end of the record at least, or of the segment.
RecordVerdict judge_record(ByteView bytes, PhysicalOffset at);

// The first place at or behind `from`, in the same segment, where a sound record or the blank at
// the segment's end begins.
struct SoundPlace {
  PhysicalOffset at;
  bool blank = false;
  std::int64_t store_timestamp_ms = 0;
};
Result<std::optional<SoundPlace>> find_sound(LogBytes& log, PhysicalOffset from);

}  // namespace rmq::storage::offline
