// QueueReader: the entries of one consume queue as they lie in its files.
// Threads: one. Memory: a buffer of entries; no file stays open.
#pragma once

#include <cstdint>
#include <optional>

#include "base/file_system.h"
#include "storage/consume_queue.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

class QueueReader {
 public:
  // `files` and `queue` must outlive it.
  QueueReader(FileSystem& files, const QueueFiles& queue, std::int64_t file_bytes,
              std::size_t buffer_entries)
      : files_(files),
        queue_(queue),
        file_bytes_(file_bytes),
        buffer_entries_(static_cast<std::int64_t>(buffer_entries)) {}

  // Finds begin() and end(), once, before all else.
  Result<> find_bounds();
  // The number of the first entry of the first file, and one past the last entry that is not zero.
  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }

  // Entry `number`; all zeros where there is none. Cheap when numbers grow.
  Result<ConsumeQueueEntry> at(std::int64_t number);
  // Whether the file is there that entry `number` belongs into.
  bool has_file_of(std::int64_t number) const;

  const QueueFiles& files() const { return queue_; }
  // The file of entry `number`, and where it lies there.
  std::string path_of(std::int64_t number) const;
  std::int64_t position_of(std::int64_t number) const;

 private:
  std::int64_t per_file() const { return file_bytes_ / static_cast<std::int64_t>(kEntryBytes); }
  Result<> fill(std::int64_t number);
  // One past the last entry of the file that is not zero, counted in the file; 0: none.
  Result<std::int64_t> used_of(const PositionFile& file);

  FileSystem& files_;
  const QueueFiles& queue_;
  const std::int64_t file_bytes_;
  const std::int64_t buffer_entries_;

  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t buffer_begin_ = -1;
  Bytes buffer_;
};

}  // namespace rmq::storage::offline
