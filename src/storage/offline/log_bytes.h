// LogBytes: the commit log as it lies in its files, read with pread in large pieces, so that a log
// of any size is looked at in bounded memory and a bad sector is no signal. What cannot be read
// counts as zeros.
// Threads: one. Memory: window_bytes, or the largest record asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/file_system.h"
#include "base/units.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

class LogBytes {
 public:
  static constexpr std::size_t kWindowBytes = 8 * 1024 * 1024;

  // `files` and `survey` must outlive it.
  LogBytes(FileSystem& files, const Survey& survey, std::size_t window_bytes = kWindowBytes)
      : files_(files), survey_(survey), window_bytes_(window_bytes) {}

  // The bytes from `at` on: `want` of them, or as many as the segment's file has. Empty where no
  // segment is. Valid until the next call.
  Result<ByteView> view(PhysicalOffset at, std::size_t want);
  // The next byte at or behind `at`, in the same segment, that may not be zero; the segment's end
  // when there is none.
  Result<PhysicalOffset> next_data(PhysicalOffset at);
  // One past the segment that has `at`.
  PhysicalOffset segment_end(PhysicalOffset at) const;

  // Places that could not be read, a block each, since the last call.
  std::vector<PhysicalOffset> take_unreadable() { return std::exchange(unreadable_, {}); }

 private:
  Result<> open(PhysicalOffset at);
  Result<std::size_t> read(MutableByteView into, std::int64_t at);
  Result<std::size_t> read_by_block(MutableByteView into, std::int64_t at);

  FileSystem& files_;
  const Survey& survey_;
  const std::size_t window_bytes_;

  std::unique_ptr<File> file_;  // of segment_
  const PositionFile* segment_ = nullptr;
  Bytes bytes_;
  PhysicalOffset begin_;  // of bytes_
  std::size_t filled_ = 0;
  std::vector<PhysicalOffset> unreadable_;
};

}  // namespace rmq::storage::offline
