// StoreConfig: the settings of one store directory, with Java's defaults (MessageStoreConfig.java).
// A plain struct; store_config.cpp has one row per field: TOML key, RocketMQ key, bounds, text (see
// config/field.h). Threads: read by all once the store is open; changed before that only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rmq::config {
class Rows;
}

namespace rmq::storage {

enum class FlushDiskType { Async, Sync };

struct StoreConfig {
  // Holds commitlog, consumequeue, index, config, checkpoint, abort and lock.
  std::string root_directory;
  // Empty: <root_directory>/commitlog. Several are separated by ','.
  std::string commit_log_directory;
  // Likewise separated; may be among those above.
  std::string commit_log_read_only_directories;

  // Files of an existing store keep their length: these two must match what is on disk.
  std::int64_t commit_log_segment_bytes = 1024LL * 1024 * 1024;
  std::int64_t consume_queue_file_bytes = 300'000LL * 20;

  FlushDiskType flush_disk_type = FlushDiskType::Async;
  // Longest time bytes stay unsynced under async flush.
  std::chrono::milliseconds flush_interval{500};
  std::chrono::milliseconds flush_consume_queue_interval{1000};
  // How long a send under sync flush waits before it is answered FLUSH_DISK_TIMEOUT.
  std::chrono::milliseconds sync_flush_timeout{5000};

  // Largest message body.
  std::int32_t max_message_bytes = 4 * 1024 * 1024;

  // Limits of one pull answer: for what is recent enough to be in memory, and for what is older.
  std::int32_t max_transfer_bytes_in_memory = 256 * 1024;
  std::int32_t max_transfer_count_in_memory = 32;
  std::int32_t max_transfer_bytes_on_disk = 64 * 1024;
  std::int32_t max_transfer_count_on_disk = 8;
  // Bytes of consume queue entries looked at for one pull when the tags filter most of them out.
  std::int32_t max_filter_message_bytes = 16000;
  // What counts as recent: this share of physical memory, in per cent, behind the end of the log.
  std::int32_t access_message_in_memory_max_ratio = 40;

  // The newest part of the log, which is mapped and read without copying it; older records are
  // copied.
  std::int64_t hot_log_bytes = 1024LL * 1024 * 1024;
  // Files of log and consume queues kept open, beside those that are written to.
  std::int32_t open_files_max = 256;

  // Whether blocks of the log have checksums, how often new ones get theirs, and how many bytes of
  // old ones are read again in a second; see scrubber.h.
  bool block_checksums_enable = true;
  std::chrono::milliseconds block_checksums_interval{1000};
  std::int64_t scrub_bytes_per_second = 4LL * 1024 * 1024;

  // When a log is cut to where it is the same as another one, what lies behind is kept in
  // rmq/diverged. A log that would lose more bytes is not cut; 0: nothing is kept.
  std::int64_t diverged_bytes_max = 1024LL * 1024 * 1024;

  // Whether messages can be found by key. Files of an existing index keep their numbers of slots
  // and entries.
  bool message_index_enable = true;
  std::int32_t index_slots_per_file = 5'000'000;
  std::int32_t index_entries_per_file = 20'000'000;
  // Most messages of one answer to a query by key: when the key is unique, and at all.
  std::int32_t default_query_max_num = 32;
  std::int32_t max_query_messages = 64;

  // Commit log files whose newest message is older go, in one of these hours of the day ("04;16",
  // local time) or when the disk is used more than the first share, in per cent. Beyond the second
  // the oldest go at whatever age, and beyond the third writes are refused. No share counts while
  // so many bytes are free.
  std::string delete_when = "04";
  std::chrono::hours file_reserved_time{72};
  std::int32_t disk_max_used_space_ratio = 75;
  std::int32_t disk_space_clean_forcibly_ratio = 85;
  std::int32_t disk_space_warning_level_ratio = 90;
  std::int64_t disk_ample_free_bytes = 16LL * 1024 * 1024 * 1024;
  bool clean_file_forcibly_enable = true;
  std::chrono::milliseconds clean_resource_interval{10'000};
  std::int32_t delete_file_batch_max = 10;

  // The delays of levels 1..n of a scheduled message.
  std::string message_delay_level = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
};

// The paths of such a list, without blanks around them.
std::vector<std::string> split_directories(std::string_view list);

// The rows of store_config.cpp, bound to `config`, which must outlive them.
config::Rows rows(StoreConfig& config);

// With queue files of whole entries: as Java, rounded up.
StoreConfig in_whole_entries(StoreConfig config);

// Whether files of these lengths can be made. Error EINVAL.
Result<> check_file_lengths(const StoreConfig& config);

}  // namespace rmq::storage
