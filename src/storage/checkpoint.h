// Checkpoint: Java's small file that says up to which store time what is on disk.
// Format (RocketMQ StoreCheckpoint.java): 4096 bytes, big-endian; the rest is zero:
//   0 i64 store time up to which the log is synced, ms | 8 the consume queues | 16 the index
//   24 i64 flushed offset of the master, on a slave | 32 i64 confirmed offset
// Java takes min(the first two) - 3 s and starts recovery in the newest segment that begins at or
// before it, and after a crash deletes index files that end after the third. The last two are kept
// as they were found.
// Threads: one. Crash: 40 bytes within one sector are written in place, as Java does; old or new.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"

namespace rmq::storage {

inline constexpr std::size_t kCheckpointBytes = 40;

struct CheckpointValues {
  std::int64_t log_timestamp_ms = 0;
  std::int64_t consume_queue_timestamp_ms = 0;
  std::int64_t index_timestamp_ms = 0;
  std::int64_t master_flushed_offset = 0;
  std::int64_t confirmed_offset = 0;

  // Before this store time everything was on disk.
  std::int64_t safe_timestamp_ms() const;

  friend bool operator==(const CheckpointValues&, const CheckpointValues&) = default;
};

std::array<std::byte, kCheckpointBytes> encode_checkpoint(const CheckpointValues& values);
// `bytes` has at least kCheckpointBytes.
CheckpointValues decode_checkpoint(ByteView bytes);

class Checkpoint {
 public:
  // Makes the file when it is missing; zeros then.
  static Result<Checkpoint> open(FileSystem& files, const std::string& path);

  const CheckpointValues& values() const { return values_; }
  // Returns when the values are on disk.
  Result<> write(const CheckpointValues& values);

 private:
  explicit Checkpoint(std::unique_ptr<File> file) : file_(std::move(file)) {}

  std::unique_ptr<File> file_;
  CheckpointValues values_;
};

}  // namespace rmq::storage
