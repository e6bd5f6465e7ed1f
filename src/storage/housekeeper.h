// Housekeeper: the thread for what must happen now and then and may take long: the next segment of
// the log, syncing consume queues and message index, and the notes of how far all that has come
// (Java's checkpoint and our LogMark). What a note says is on disk before the note: queues are
// synced up to a position of dispatch, and the note waits until the log is flushed up to there. A
// full disk only delays a note.
// Threads: want_segment() on any; note() while it does not run.
// Crash: the note before, which is true as well.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "storage/checkpoint.h"
#include "storage/dispatcher.h"
#include "storage/group_commit.h"
#include "storage/index_builder.h"
#include "storage/log_mark.h"

namespace rmq::storage {

class Housekeeper {
 public:
  struct Parts {
    CommitLog& log;
    ConsumeQueueSet& queues;
    const Dispatcher& dispatcher;
    const GroupCommit& group_commit;
    const Watermark<FlushedOffset>& flushed;
    Checkpoint& checkpoint;
    LogMarkFile& marks;
    std::int64_t hot_log_bytes = 0;  // what of the log stays mapped
    IndexBuilder* index = nullptr;   // null: messages are not indexed
  };

  explicit Housekeeper(const Parts& parts) : parts_(parts) {}
  ~Housekeeper() { stop(); }

  struct Hooks {
    // On this thread: queues could not be written; it is tried again with the next round.
    std::function<void(const Error&)> on_disk_full;
    // On this thread, once, before it ends: a write or a sync has failed.
    std::function<void(const Error&)> on_error;
  };
  void start(std::chrono::milliseconds interval, Hooks hooks);
  void stop();

  // Makes the segment behind the current one soon. A failure there is only logged: the writer
  // meets it again when it needs the segment.
  void want_segment();

  // Up to here queues and log are on disk, and a note says so. Any thread.
  PhysicalOffset noted() const { return PhysicalOffset{noted_.load(std::memory_order_acquire)}; }

  // Writes down that queues and log are on disk up to `progress`, the end of both.
  Result<> note(const Dispatcher::Progress& progress, bool clean);
  // The same before the log is cut at `end`: nothing that is noted reaches beyond that, whatever
  // was noted before. `progress` is not beyond it either.
  Result<> note_before_cut(const Dispatcher::Progress& progress, PhysicalOffset end);

 private:
  void run(std::chrono::milliseconds interval);
  Result<> round();
  // Synced in the queues, waiting for the log.
  struct Synced {
    Dispatcher::Progress progress;
    std::optional<IndexMark> index;
  };
  Result<> write(const Synced& synced, bool clean);
  Result<LogMark> mark_of(const Dispatcher::Progress& progress) const;
  Result<> put(const LogMark& mark);

  const Parts parts_;
  Hooks hooks_;
  std::thread thread_;
  std::optional<Synced> synced_;
  std::optional<IndexMark> noted_index_;  // what the last note says
  bool full_ = false;                     // the last note failed for want of space
  std::atomic<std::int64_t> noted_{0};

  Mutex mutex_;
  Condition changed_;
  bool segment_wanted_ RMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
};

}  // namespace rmq::storage
