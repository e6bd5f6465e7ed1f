// ConsumeQueue: the index of one queue into the commit log. Derived data: recovery can make it
// again from the log.
// Format (RocketMQ ConsumeQueue.java): 20-byte big-endian entries, entry i at byte 20 * i of the
// queue's files, which all have the same length and are named by the position of their first byte:
//   0 i64 physical offset | 8 i32 stored size, bytes | 12 i64 Java hashCode of the tag, 0 if none
// An entry of size 0 is the end. A queue that begins in the middle of a file has fillers
// (0, 0x7FFFFFFF, 0) in front.
// Threads: load() to end_recovery() before any other; append() and publish() on the dispatcher;
// take_unsynced() and sync_files() on one; the rest on any. Crash: files are sparse and synced by
// sync_files() only; what was appended since is gone or may be there in parts. Recovery drops
// entries from its starting point on and dispatches them again.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/units.h"
#include "storage/file_cache.h"
#include "storage/may_wait.h"
#include "storage/queue_entry.h"

namespace rmq::storage {

inline constexpr std::size_t kEntryBytes = 20;
void encode_entry(const ConsumeQueueEntry& entry, std::byte* to);
ConsumeQueueEntry decode_entry(const std::byte* from);

inline constexpr std::int32_t kFillerSize = 0x7FFFFFFF;
inline bool is_valid(const ConsumeQueueEntry& entry) {
  return entry.physical.value >= 0 && entry.size > 0;
}
inline bool is_filler(const ConsumeQueueEntry& entry) {
  return entry.physical.value == 0 && entry.size == kFillerSize;
}

class ConsumeQueue {
 public:
  ConsumeQueue(FileCache& cache, std::string directory, std::int64_t file_bytes);

  // Looks at the files in the directory. A short file goes, and all behind it; the first one is
  // lengthened instead, and makes damaged() true. A longer one or a foreign name is an error that
  // names it.
  Result<> load();
  bool damaged() const { return damaged_; }
  // Damaged in that its only file, the very first, is short: as one that a process was making when
  // it was killed, and perhaps for another reason.
  bool unborn() const { return unborn_; }
  // Files went that were short: what was in them must be dispatched again.
  bool lost_files() const { return lost_files_; }
  // Finds the end. Careful reads the last three files entry by entry, as Java does, and lets
  // physical offsets only grow; Trusting searches for the first empty entry of the last file.
  enum class Search { Trusting, Careful };
  Result<> recover(Search search);
  // Drops entries at or beyond `log_end`, and whatever lies behind the last entry.
  Result<> cut(PhysicalOffset log_end);
  // No entries, no files.
  Result<> reset();
  // Moves begin() to the first entry of a record that the log still has.
  Result<> correct_begin(PhysicalOffset log_begin);
  // Frees what only the calls above need; none of them comes any more.
  void end_recovery();
  // The same while the store runs, and nobody reads or dispatches: cut(), for a log that begins at
  // `log_begin`. All entries must be in files.
  Result<> cut_in_use(PhysicalOffset log_end, PhysicalOffset log_begin);
  // Likewise for a queue whose files do not reach back to the cut, because what was in them is
  // deleted: no entries, and the next one is `next`, also after a restart.
  Result<> restart_at(QueueOffset next);
  // Moves begin() likewise while the queue is in use: the messages before `at` are deleted.
  Result<> hide_before(PhysicalOffset at);
  // The same, and removes the files that have nothing else. The last one that is known to be on
  // disk stays, because it says how far the queue has counted; when another will follow it, the
  // result is false, and later there may be more to remove. One thread at a time. Error: a file
  // stays, and nothing refers to it any more.
  Result<bool> drop_before(PhysicalOffset at);
  // One past the record of the last entry; 0 when there is none.
  Result<PhysicalOffset> covered() const;
  // Whether it has, or had, entries of records before `at`.
  Result<bool> began_before(PhysicalOffset at) const;

  // Adds whole encoded entries at `at`, which must be written_end(), or anything in a queue without
  // entries. They can be read after publish(), and stay in memory until write_tail().
  void append(QueueOffset at, ByteView entries);
  // The entries from `end` on, which nobody has seen, will be appended again.
  void take_back(QueueOffset end);
  // Asks the processor for what append() and publish() will touch.
  void prefetch() const {
    __builtin_prefetch(&ends_);
    __builtin_prefetch(&tail_begin_);
  }
  void publish() { end_.store(written_end_.value, std::memory_order_release); }
  QueueOffset written_end() const { return written_end_; }
  // Or a file that had some.
  bool has_entries() const { return begun_; }
  // What is only in memory.
  std::size_t tail_bytes() const;
  // Puts what is published into files. Any thread. Error: it stays in memory.
  Result<> write_tail();

  // Where the first file begins; begin() may be later.
  QueueOffset files_begin() const { return {first_file_ * per_file_}; }
  // The first entry still kept, and one past the last that can be read.
  QueueOffset begin() const { return {begin_.load(std::memory_order_acquire)}; }
  QueueOffset end() const { return {end_.load(std::memory_order_acquire)}; }
  // Encoded entries from `from` on, as many as `into` takes and one file has before end(). Their
  // number; 0 when `from` is at or beyond end(). Error with MayWait::No: StoreErrc::NotInMemory.
  Result<std::size_t> read(QueueOffset from, MutableByteView into,
                           MayWait may_wait = MayWait::Yes) const;
  // Where the next file begins behind `at`.
  QueueOffset next_file(QueueOffset at) const { return {(at.value / per_file_ + 1) * per_file_}; }

  // What is not on disk yet: files, and directories with new names.
  struct Unsynced {
    std::vector<std::int64_t> files;
    std::vector<std::string> directories;
    QueueOffset end;  // what is on disk when both are, for note_synced()
  };
  // It counts as synced from now on.
  Unsynced take_unsynced();
  // fdatasync of those files.
  Result<> sync_files(const Unsynced& unsynced);
  void note_synced(QueueOffset end) { synced_end_.store(end.value, std::memory_order_release); }

 private:
  struct OpenFile {
    std::int64_t index = -1;
    std::weak_ptr<File> file;
  };

  Result<> drop_files(const std::vector<std::string>& names, const std::string& first);
  std::string path_of(std::int64_t index) const;
  Result<std::shared_ptr<File>> file(std::int64_t index) const;
  Result<std::shared_ptr<File>> file_for_append(std::int64_t index);
  void begin_with(QueueOffset at) RMQ_REQUIRES(mutex_);
  void note_dirty(std::int64_t index) RMQ_REQUIRES(mutex_);
  std::size_t read_tail(QueueOffset from, std::int64_t last, MutableByteView into) const
      RMQ_REQUIRES(mutex_);
  Result<> write_entries(QueueOffset at, ByteView entries);
  Result<ConsumeQueueEntry> entry_at(std::int64_t index) const;
  // The first i in [low, high) whose entry `reached`; high when none. Entries must be ordered so.
  template <class Predicate>
  Result<std::int64_t> partition(std::int64_t low, std::int64_t high, Predicate reached) const;
  Result<std::int64_t> scan_file(std::int64_t index, PhysicalOffset& last) const;
  Result<> look_at_ends();
  Result<bool> recover_short();

  // What recover() saw, until entries come or go: with many queues their files are not opened
  // again.
  struct Ends {
    ConsumeQueueEntry first;
    ConsumeQueueEntry last;
    bool nothing_behind = false;  // no files, and no bytes that are not zero
  };

  // What each message touches lies together.
  std::unique_ptr<const Ends> ends_;  // null without entries, too
  std::atomic<std::int64_t> end_{0};
  QueueOffset written_end_;
  bool begun_ = false;
  mutable Mutex mutex_;
  // Encoded entries from tail_begin_ to written_end_.
  Bytes tail_ RMQ_GUARDED_BY(mutex_);
  QueueOffset tail_begin_ RMQ_GUARDED_BY(mutex_);

  FileCache& cache_;
  const std::string directory_;
  const std::int64_t file_bytes_;
  const std::int64_t per_file_;  // entries

  bool damaged_ = false;
  bool unborn_ = false;
  bool lost_files_ = false;
  // Files [first_file_, files_end_) exist; write_tail() adds to them, drop_before() takes the
  // first.
  std::atomic<std::int64_t> first_file_{0};
  std::atomic<std::int64_t> files_end_{0};
  std::atomic<std::int64_t> begin_{0};
  std::atomic<std::int64_t> synced_end_{0};
  // The file last appended to and the one last read.
  mutable std::array<OpenFile, 2> open_ RMQ_GUARDED_BY(mutex_);
  std::vector<std::int64_t> dirty_files_ RMQ_GUARDED_BY(mutex_);
  bool new_names_ RMQ_GUARDED_BY(mutex_) = false;
  bool names_synced_ RMQ_GUARDED_BY(mutex_) = false;  // or will be, with the next sync

  Mutex write_mutex_;  // one write_tail() at a time; before mutex_
};

template <class Predicate>
Result<std::int64_t> ConsumeQueue::partition(std::int64_t low, std::int64_t high,
                                             Predicate reached) const {
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    RMQ_TRY(const ConsumeQueueEntry entry, entry_at(middle));
    if (reached(entry)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace rmq::storage
