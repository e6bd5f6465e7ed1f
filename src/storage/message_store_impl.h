// MessageStore::Impl: the parts of a store and how they are wired.
#pragma once

#include <algorithm>
#include <atomic>
#include <limits>
#include <unordered_map>

#include "storage/deleted_messages.h"
#include "storage/dispatcher.h"
#include "storage/group_commit.h"
#include "storage/housekeeper.h"
#include "storage/index_builder.h"
#include "storage/log_follower.h"
#include "storage/log_writer.h"
#include "storage/message_reader.h"
#include "storage/message_store.h"
#include "storage/read_gate.h"
#include "storage/retention.h"
#include "storage/scrubber.h"
#include "storage/store_lock.h"

namespace rmq::storage {

class MessageStore::Impl {
 public:
  Impl(const StoreConfig& config, DelayLevels delays, FileSystem& files, Clock& clock)
      : config_(in_whole_entries(config)),
        files_(files),
        clock_(clock),
        layout_(config_),
        log_directories_(files, layout_.commit_logs(), layout_.read_only_commit_logs()),
        cache_(files, static_cast<std::size_t>(config_.open_files_max)),
        log_(cache_, log_directories_, config_.commit_log_segment_bytes),
        queues_(cache_, layout_, config_.consume_queue_file_bytes),
        delays_(delays),
        maker_(queues_, std::move(delays)),
        reader_(log_, appended_, config_, MessageReader::memory_bytes_of(config_)),
        dispatcher_(log_, queues_, maker_, dispatched_),
        index_(files, layout_.index(), {config.index_slots_per_file, config.index_entries_per_file},
               clock),
        builder_(log_, index_),
        writer_(log_, appended_, clock),
        follower_(log_, maker_, appended_),
        group_commit_(log_, appended_, flushed_) {}

  ~Impl() { stop_threads(GroupCommit::Final::None); }

  Result<> open(ProgressListener on_progress);
  Result<> open_index();
  Result<> open_scrubber(PhysicalOffset recovered_from);
  Result<> ensure_note();
  Result<> delete_messages(std::string_view topic, PhysicalOffset end);
  Result<> hide_deleted(PhysicalOffset log_end);
  void start(Reign reign);
  void start_threads();
  void stop_threads(GroupCommit::Final final);
  void stop();

  // message_store_reign.cpp
  void end_reign(const Error& why);
  Result<> begin_reign(Reign reign, std::optional<PhysicalOffset> cut,
                       std::optional<ConfirmedOffset> confirmed);
  void take_up(Reign reign);
  // Where a log is to be cut, and what lies before.
  struct Cut {
    PhysicalOffset end;
    std::int64_t last_store_timestamp_ms = 0;
    Dispatcher::Progress progress;  // not beyond it
    std::optional<IndexMark> index;
    // The number of the first message behind it, of each queue that has one: the queue's end.
    std::unordered_map<StoredQueue*, QueueOffset> queue_ends;
  };
  Result<Cut> prepare_cut(PhysicalOffset at);
  Result<Dispatcher::Progress> progress_at(PhysicalOffset at);
  Result<> cut_log(PhysicalOffset at, std::optional<ConfirmedOffset> confirmed);
  Result<> carry_out(const Cut& cut);
  Result<> cut_queues(const Cut& cut);
  Result<> visit_entries(PhysicalOffset from, PhysicalOffset end,
                         const std::function<void(const DispatchEntry&)>& visit);
  Result<> cut_index(const Cut& cut);
  void limit_confirmed(std::optional<ConfirmedOffset> confirmed);

  void confirm(ConfirmedOffset end);
  void wake_dispatcher_if_visible();
  void wake_dispatcher();
  void show_all();
  void fail_store(const Error& why);
  LogWriter::Hooks writer_hooks();
  LogFollower::Hooks follower_hooks();
  std::int64_t last_store_timestamp_ms() const;
  Dispatcher::Hooks dispatcher_hooks();
  Retention::Hooks retention_hooks();
  void pause(const Error& why);
  void disk_is_full(const Error& why);

  bool sync_flush() const { return config_.flush_disk_type == FlushDiskType::Sync; }
  PhysicalOffset visible_limit() const {
    return PhysicalOffset{std::min(sync_flush() ? flushed_.value().value : appended_.value().value,
                                   confirmed_.load(std::memory_order_acquire))};
  }

  const StoreConfig config_;
  FileSystem& files_;
  Clock& clock_;
  const Layout layout_;
  std::optional<StoreLock> lock_;  // first taken, last released

  LogDirectories log_directories_;
  FileCache cache_;
  CommitLog log_;
  ConsumeQueueSet queues_;
  const DelayLevels delays_;
  const EntryMaker maker_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<LogMarkFile> marks_;
  Dispatcher::Progress recovered_;
  Mutex deleted_mutex_;
  std::optional<DeletedMessages> deleted_ RMQ_GUARDED_BY(deleted_mutex_);

  Watermark<AppendedOffset> appended_;
  Watermark<FlushedOffset> flushed_;
  Watermark<DispatchedOffset> dispatched_;

  ReadGate gate_;  // closed while the log is cut
  MessageReader reader_;
  Dispatcher dispatcher_;
  MessageIndex index_;
  IndexBuilder builder_;
  LogWriter writer_;
  LogFollower follower_;
  GroupCommit group_commit_;
  std::optional<Housekeeper> housekeeper_;
  std::optional<Retention> retention_;
  std::optional<Scrubber> scrubber_;

  std::function<void(std::span<const Arrival>)> on_arrival_;
  std::function<void(const Error&)> on_fatal_;
  Mutex confirm_mutex_;
  std::atomic<std::int64_t> confirmed_{std::numeric_limits<std::int64_t>::max()};
  bool limited_ RMQ_GUARDED_BY(confirm_mutex_) = false;  // confirm() was called
  bool shows_all_ RMQ_GUARDED_BY(confirm_mutex_) = false;
  bool between_reigns_ RMQ_GUARDED_BY(confirm_mutex_) = false;
  std::atomic<bool> failed_{false};
  std::atomic<bool> following_{false};
  std::atomic<std::int64_t> reign_{1};
  // Of the thread that changes the reign.
  bool reigns_ = false;
  std::int64_t last_store_timestamp_ms_ = 0;  // where the reign begins
  bool stopped_ = false;
};

}  // namespace rmq::storage
