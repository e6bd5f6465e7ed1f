// LogWindow: the bytes of the log for somebody who goes along it, read ahead a piece at a time.
// What lies there is copied, so that an I/O error is a result here, and never a signal.
// Threads: one at a time; the log may grow meanwhile, behind what is asked for.
#pragma once

#include <memory>

#include "protocol/message_record.h"
#include "storage/commit_log.h"

namespace rmq::storage {

class LogWindow {
 public:
  static constexpr std::size_t kAheadBytes = 256 * 1024;

  // Reads `ahead` bytes at once, when so many are left of the segment.
  explicit LogWindow(const CommitLog& log, std::size_t ahead = kAheadBytes)
      : log_(log), ahead_(ahead) {}

  // Bytes from `at` on, within its segment: `wanted` or more, or as many as the segment has left.
  // Good until the next call. Errors: StoreErrc::OffsetOutOfRange where there is no segment; I/O.
  Result<ByteView> at(PhysicalOffset at, std::size_t wanted);
  // The record, or blank, that begins at `at`. Good until the next call. Errors: those of at() and
  // of protocol::scan_record.
  Result<protocol::RecordScan> record(PhysicalOffset at, protocol::CheckBody check);
  // Where the segment of the last call ends.
  PhysicalOffset segment_end() const { return end_; }

 private:
  std::size_t left(PhysicalOffset at) const { return static_cast<std::size_t>(end_ - at); }

  const CommitLog& log_;
  const std::size_t ahead_;
  std::shared_ptr<Segment> segment_;
  PhysicalOffset end_;  // of segment_
  Bytes buffer_;
  PhysicalOffset from_;  // what buffer_ begins with
  std::size_t size_ = 0;
};

}  // namespace rmq::storage
