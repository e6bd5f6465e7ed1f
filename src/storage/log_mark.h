// LogMark: our own note of how far log and consume queues were known to be on disk. It bounds
// recovery, and lets it tell a torn tail from damage. It counts only while it fits what lies there:
// Java's checkpoint must still be the one that it or the mark before it was written with (the
// checkpoint is written after the mark), and the last record before the mark must still be that
// record. Otherwise Java has run in between, and Java's rule applies.
// Format, rmq/log-mark, big-endian: two slots at 0 and 4096, written in turn, each
//   0 i64 magic | 8 i64 sequence | 16 i64 clean stop: 1 | 24 i64 flushed, physical offset
//   32 i64 dispatched, physical offset, <= flushed: entries of records before it are synced
//   40 i64 last record before that: physical offset, 48 i64 size (0: none), 56 i64 XXH3 of it
//   64 i64 its store time, ms | 72 i64 queues with entries before dispatched
//   80 i64 after a clean stop: XXH3 of names and bounds of all queues; else the sum of their ends
//   at dispatched, 0 when not known | 88 the checkpoint, 40 bytes | 128 i64 1: the message index
//   is known | 136 i64 name of its newest file | 144 that file's header, 40 bytes
//   184 i64 physical offset up to which the index is complete and synced
//   192 i64 XXH3 of all before
// Threads: one. Crash: a torn slot fails its checksum, and the other one is one write older.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/units.h"
#include "storage/checkpoint.h"
#include "storage/message_index.h"

namespace rmq::storage {

class CommitLog;

struct LogMark {
  bool clean = false;
  PhysicalOffset flushed;
  PhysicalOffset dispatched;
  PhysicalOffset last_record;
  std::int64_t last_record_bytes = 0;
  std::int64_t last_record_hash = 0;
  std::int64_t last_store_timestamp_ms = 0;
  std::int64_t queue_count = 0;
  std::int64_t queues_hash = 0;
  CheckpointValues checkpoint;
  std::optional<IndexMark> index;  // empty while there is none

  friend bool operator==(const LogMark&, const LogMark&) = default;
};

// The hash of a record that lies in `log`. Error: StoreErrc::OffsetOutOfRange.
Result<std::int64_t> hash_record(const CommitLog& log, PhysicalOffset at, std::int64_t bytes);

// Whether the record that `mark` names is still there.
bool fits(const LogMark& mark, const CommitLog& log);

class LogMarkFile {
 public:
  // `checkpoint`: the one that lies beside it.
  static Result<LogMarkFile> open(FileSystem& files, const std::string& path,
                                  const CheckpointValues& checkpoint);
  // For looking only: changes nothing, and has no mark where there is no file.
  static Result<LogMarkFile> read(FileSystem& files, const std::string& path,
                                  const CheckpointValues& checkpoint);

  // The newest mark there was, when one of the two slots was written with the checkpoint.
  const std::optional<LogMark>& found() const { return found_; }
  // Returns when it is on disk. After an error the mark before still counts.
  Result<> write(const LogMark& mark);
  // The checkpoint of the mark written last could not be: the next one takes its place, and the
  // one before it stays.
  void forget_last() { --sequence_; }

 private:
  explicit LogMarkFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<> load(const CheckpointValues& checkpoint);

  std::unique_ptr<File> file_;
  std::int64_t sequence_ = 0;
  std::optional<LogMark> found_;
};

}  // namespace rmq::storage
