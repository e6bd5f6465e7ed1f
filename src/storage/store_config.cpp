#include "storage/store_config.h"

#include <algorithm>
#include <limits>

#include "config/field.h"
#include "storage/consume_queue.h"
#include "storage/index_file.h"
#include "storage/retention_rule.h"

namespace rmq::storage {
namespace {

using config::any_text;
using config::Choice;
using config::Field;
using config::Kind;
using config::Reload;
using namespace std::chrono_literals;

constexpr std::int64_t kGiB = 1024LL * 1024 * 1024;
constexpr std::int32_t kMiB = 1024 * 1024;

constexpr Choice<FlushDiskType> kFlushDiskTypes[] = {
    {FlushDiskType::Async, "ASYNC_FLUSH"},
    {FlushDiskType::Sync, "SYNC_FLUSH"},
};

std::string hours_of_day(std::string_view text) {
  return parse_hours(text) ? "" : "hours of the day from 0 to 23, separated by ';'";
}

// What is deleted, and when writes are refused for want of space.
constexpr std::tuple kRetentionFields{
    Field{
        "store.delete_when", "deleteWhen", &StoreConfig::delete_when, Kind::Text, hours_of_day,
        Reload::Restart,
        "The hours of the day, local time, in which expired commit log files are deleted; several "
        "separated by ';'."},
    Field{"store.file_reserved_hours", "fileReservedTime", &StoreConfig::file_reserved_time, 1h,
          876'000h, Reload::Restart,
          "A commit log file is expired when its newest message was stored so many hours ago."},
    Field{"store.disk_max_used_space_ratio", "diskMaxUsedSpaceRatio",
          &StoreConfig::disk_max_used_space_ratio, 10, 95, Reload::Restart,
          "More of the disk used, in per cent: expired files are deleted at any hour."},
    Field{"store.disk_space_clean_forcibly_ratio", "diskSpaceCleanForciblyRatio",
          &StoreConfig::disk_space_clean_forcibly_ratio, 30, 95, Reload::Restart,
          "More of the disk used, in per cent: the oldest files are deleted, consumed or not."},
    Field{"store.disk_space_warning_level_ratio", "diskSpaceWarningLevelRatio",
          &StoreConfig::disk_space_warning_level_ratio, 35, 99, Reload::Restart,
          "More of the disk used, in per cent: sends are refused until there is room."},
    Field{"store.disk_ample_free_bytes", "", &StoreConfig::disk_ample_free_bytes, 0, 1024LL * kGiB,
          Reload::Restart,
          "With so many bytes free none of the three counts, so that a large disk is not called "
          "full."},
    Field{"store.clean_file_forcibly_enable", "cleanFileForciblyEnable",
          &StoreConfig::clean_file_forcibly_enable, Reload::Restart,
          "Whether files that are not expired may be deleted to make room."},
    Field{"store.clean_resource_interval_ms", "cleanResourceInterval",
          &StoreConfig::clean_resource_interval, 1ms, 600'000ms, Reload::Restart,
          "How often the disk is looked at and old files are deleted."},
    Field{"store.delete_file_batch_max", "deleteFileBatchMax", &StoreConfig::delete_file_batch_max,
          1, 100'000, Reload::Restart, "Most commit log files deleted each time."},
};

constexpr std::tuple kStoreFields{
    Field{
        "store.root_directory", "storePathRootDir", &StoreConfig::root_directory, Kind::Text,
        any_text, Reload::Restart,
        "Holds commitlog, consumequeue, index, config, checkpoint, abort and lock. Empty: `store` "
        "below --data (a Java file without it: `$HOME/store`)."},
    Field{
        "store.commit_log_directory", "storePathCommitLog", &StoreConfig::commit_log_directory,
        Kind::Text, any_text, Reload::Restart,
        "Empty: `commitlog` below the root directory. Several directories, separated by ',', hold "
        "the files of the commit log in turn; one whose disk is full is left out."},
    Field{"store.commit_log_read_only_directories", "readOnlyCommitLogStorePaths",
          &StoreConfig::commit_log_read_only_directories, Kind::Text, any_text, Reload::Restart,
          "Directories, separated by ',', with older files of the commit log. No new ones are made "
          "there."},
    Field{"store.commit_log_segment_bytes", "mappedFileSizeCommitLog",
          &StoreConfig::commit_log_segment_bytes, 64 * 1024, 64 * kGiB, Reload::Restart,
          "Length of a commit log file. An existing store keeps the length it was made with."},
    Field{"store.consume_queue_file_bytes", "mappedFileSizeConsumeQueue",
          &StoreConfig::consume_queue_file_bytes, 20 * 10, kGiB, Reload::Restart,
          "Length of a consume queue file, rounded up to whole entries of 20 bytes. An existing "
          "store keeps the length it was made with."},
    Field{"store.flush_disk_type", "flushDiskType", &StoreConfig::flush_disk_type, kFlushDiskTypes,
          Reload::Restart,
          "SYNC_FLUSH: a send is acknowledged when it is on disk. ASYNC_FLUSH: when it is in the "
          "page cache."},
    Field{"store.flush_interval_ms", "flushIntervalCommitLog", &StoreConfig::flush_interval, 1ms,
          60'000ms, Reload::Restart,
          "Longest time a message acknowledged under async flush may stay unsynced."},
    Field{"store.flush_consume_queue_interval_ms", "flushIntervalConsumeQueue",
          &StoreConfig::flush_consume_queue_interval, 1ms, 600'000ms, Reload::Restart,
          "How often consume queues are synced. They can be rebuilt from the commit log."},
    Field{
        "store.sync_flush_timeout_ms", "syncFlushTimeout", &StoreConfig::sync_flush_timeout, 1ms,
        600'000ms, Reload::Restart,
        "How long a send under sync flush waits before it is answered FLUSH_DISK_TIMEOUT (stored, "
        "not yet on disk)."},
    Field{"store.max_message_bytes", "maxMessageSize", &StoreConfig::max_message_bytes, 1,
          512 * kMiB, Reload::Restart, "Largest message body; a larger one is refused."},
    Field{"store.max_transfer_bytes_in_memory", "maxTransferBytesOnMessageInMemory",
          &StoreConfig::max_transfer_bytes_in_memory, 1, 512 * kMiB, Reload::Restart,
          "Most bytes of one pull answer, for messages recent enough to be in memory."},
    Field{"store.max_transfer_count_in_memory", "maxTransferCountOnMessageInMemory",
          &StoreConfig::max_transfer_count_in_memory, 1, 100'000, Reload::Restart,
          "Most messages of one pull answer, likewise."},
    Field{"store.max_transfer_bytes_on_disk", "maxTransferBytesOnMessageInDisk",
          &StoreConfig::max_transfer_bytes_on_disk, 1, 512 * kMiB, Reload::Restart,
          "Most bytes of one pull answer, for older messages."},
    Field{"store.max_transfer_count_on_disk", "maxTransferCountOnMessageInDisk",
          &StoreConfig::max_transfer_count_on_disk, 1, 100'000, Reload::Restart,
          "Most messages of one pull answer, likewise."},
    Field{
        "store.max_filter_message_bytes", "maxFilterMessageSize",
        &StoreConfig::max_filter_message_bytes, 20, 512 * kMiB, Reload::Restart,
        "Bytes of consume queue entries looked at for one pull when tags filter most of them out."},
    Field{
        "store.access_message_in_memory_max_ratio", "accessMessageInMemoryMaxRatio",
        &StoreConfig::access_message_in_memory_max_ratio, 0, 100, Reload::Restart,
        "What counts as recent: this share of physical memory, in per cent, behind the end of the "
        "log."},
    Field{"store.hot_log_bytes", "", &StoreConfig::hot_log_bytes, 0, 1024LL * 1024 * kMiB,
          Reload::Restart,
          "The newest bytes of the log, which are read through mappings. What is older is copied "
          "from the page cache, or read by a thread that may wait for the disk."},
    Field{"store.open_files_max", "", &StoreConfig::open_files_max, 16, 1'000'000, Reload::Restart,
          "Files of log and consume queues kept open, beside those that are written to."},
    Field{"store.block_checksums_enable", "", &StoreConfig::block_checksums_enable, Reload::Restart,
          "Whether the bytes of the log have checksums, kept beside it, so that damage outside of "
          "message bodies is found too."},
    Field{"store.scrub_bytes_per_second", "", &StoreConfig::scrub_bytes_per_second, 0, 1024 * kMiB,
          Reload::Restart,
          "How fast old bytes of the log are read again and compared with their checksums; 0: "
          "never."},
    Field{"store.diverged_bytes_max", "", &StoreConfig::diverged_bytes_max, 0, 1024 * kGiB,
          Reload::Restart,
          "When the log is cut to where it is the same as the master's, messages that only this log "
          "had are kept in `rmq/diverged`, for `rmq store salvage`. A log that would lose more "
          "bytes at once is not cut. 0: nothing is kept."},
    Field{"store.message_index_enable", "messageIndexEnable", &StoreConfig::message_index_enable,
          Reload::Restart,
          "Whether messages can be found by key. Switched on later, it is made up for in the "
          "background."},
    Field{"store.index_slots_per_file", "maxHashSlotNum", &StoreConfig::index_slots_per_file, 1,
          500'000'000, Reload::Restart,
          "Hash slots of an index file; 4 bytes each, also of memory. An existing index keeps the "
          "number it was made with."},
    Field{
        "store.index_entries_per_file", "maxIndexNum", &StoreConfig::index_entries_per_file, 2,
        100'000'000, Reload::Restart,
        "Entries of an index file, one per message and key; 20 bytes each. With the slots at most "
        "2 GiB. An existing index keeps the number it was made with."},
    Field{"store.default_query_max_num", "defaultQueryMaxNum", &StoreConfig::default_query_max_num,
          1, 10'000, Reload::Restart, "Most messages of an answer to a query by unique key."},
    Field{"store.max_query_messages", "maxMsgsNumBatch", &StoreConfig::max_query_messages, 1,
          10'000, Reload::Restart, "Most messages of an answer to any query by key."},
    Field{"store.message_delay_level", "messageDelayLevel", &StoreConfig::message_delay_level,
          Kind::Text, any_text, Reload::Restart,
          "The delays of levels 1, 2, ... of a delayed message."},
};

}  // namespace

std::vector<std::string> split_directories(std::string_view list) {
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string_view one = list.substr(begin, end - begin);
    one.remove_prefix(std::min(one.find_first_not_of(kBlanks), one.size()));
    one.remove_suffix(one.size() - (one.find_last_not_of(kBlanks) + 1));
    if (!one.empty()) found.emplace_back(one);
    begin = end + 1;
  }
  return found;
}

config::Rows rows(StoreConfig& config) {
  config::Rows all = config::bind(config, kStoreFields);
  all.append(config::bind(config, kRetentionFields));
  return all;
}

StoreConfig in_whole_entries(StoreConfig config) {
  const auto unit = static_cast<std::int64_t>(kEntryBytes);
  config.consume_queue_file_bytes = (config.consume_queue_file_bytes + unit - 1) / unit * unit;
  return config;
}

Result<> check_file_lengths(const StoreConfig& config) {
  // A blank record says its size in 32 bits.
  const bool segment = config.commit_log_segment_bytes > 0 &&
                       config.commit_log_segment_bytes <= std::numeric_limits<std::int32_t>::max();
  if (!segment || config.consume_queue_file_bytes <= 0) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                "length of a segment or queue file");
  }
  const IndexShape index{config.index_slots_per_file, config.index_entries_per_file};
  if (index.slots <= 0 || index.entries <= 1 ||
      index.file_bytes() > std::numeric_limits<std::int32_t>::max()) {
    return fail(std::make_error_code(std::errc::invalid_argument), "length of an index file");
  }
  return {};
}

}  // namespace rmq::storage
