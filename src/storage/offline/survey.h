// Survey: which files lie in a store directory, and the lengths that its files have, without a lock
// and without changing anything. A running server may add and delete files meanwhile.
// Threads: one. Memory: per queue its files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "storage/checkpoint.h"
#include "storage/index_file.h"
#include "storage/layout.h"
#include "storage/log_mark.h"
#include "storage/store_config.h"

namespace rmq::storage::offline {

// Where a store is, and what is known about it beforehand.
struct StorePlace {
  StoreConfig config;
  // Whether the lengths in `config` come from a file of settings; else they are found here.
  bool sizes_known = false;
};

// A file whose name is the position of its first byte.
struct PositionFile {
  std::int64_t position = 0;
  std::int64_t bytes = 0;
};

// A segment of the log, in one of its directories.
struct SegmentFile : PositionFile {
  std::string path;
};

struct QueueFiles {
  std::string topic;
  QueueId queue_id = 0;
  std::string directory;
  std::vector<PositionFile> files;  // by position

  std::string path_of(std::int64_t position) const {
    return directory + "/" + position_file_name(position);
  }
};

struct IndexFiles {
  std::int64_t name = 0;
  std::string path;
  std::int64_t bytes = 0;
  IndexHeader header;
};

struct Survey {
  explicit Survey(const StorePlace& place)
      : layout(place.config), segment_bytes(place.config.commit_log_segment_bytes) {}

  Layout layout;
  std::int64_t segment_bytes;
  std::int64_t queue_file_bytes = 0;
  std::vector<SegmentFile> segments;  // by position
  std::vector<QueueFiles> queues;     // by topic and number
  std::vector<IndexFiles> index;      // by name
  // Empty when there are no index files, or when they do not say it.
  std::optional<IndexShape> index_shape;
  // Paths of files that do not belong where they are.
  std::vector<std::string> foreign;
  // Names below config/.
  std::vector<std::string> config_files;

  bool unclean = false;  // `abort` is there: in use, or not stopped
  std::optional<CheckpointValues> checkpoint;
  bool has_mark_file = false;
  std::optional<LogMark> mark;  // that counts beside the checkpoint

  PhysicalOffset log_begin() const {
    return PhysicalOffset{segments.empty() ? 0 : segments.front().position};
  }
  // One past the last segment.
  PhysicalOffset capacity_end() const {
    return PhysicalOffset{segments.empty() ? 0 : segments.back().position + segment_bytes};
  }
  // Where the segment is, or one that is missing could be.
  std::string segment_path(std::int64_t base) const;
  // The segment that has the byte at `at`; null: none.
  const SegmentFile* segment_of(PhysicalOffset at) const;
  // "a, b": the directories that segments may lie in.
  std::string log_directories() const;
};

// Errors: ENOENT when there is no store (neither a log nor queues); StoreErrc::NotSupported for a
// kind of store that cannot be read; I/O.
Result<Survey> survey(FileSystem& files, const StorePlace& place);

// The numbers of slots and entries of an index file, found in its content: that its newest entry
// stands where its header says. Empty when nothing fits, or more than one thing.
Result<std::optional<IndexShape>> find_index_shape(FileSystem& files, const IndexFiles& file);

}  // namespace rmq::storage::offline
