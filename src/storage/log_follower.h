// LogFollower: writes to the log what another store's log has, byte for byte: the writer of a
// store that follows (a slave), in the place of LogWriter.
//
// It takes the bytes as they come, in pieces of any size, and writes whole records only, each
// checked first as recovery checks it. So the log always ends behind a record, nothing that is
// torn or flipped on the way gets into it, and the end is what may be acknowledged.
// The order of one turn is LogWriter's: the write, entries handed to dispatch, the appended
// watermark. Next offsets of queues follow what is written, so that the store may lead at any
// moment. It writes while its store follows, reign by reign: begin_reign(), rest().
// Threads: any; append(), which writes to the page cache, one at a time.
// Crash: the log ends behind a record, or within one that recovery removes.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/watermark.h"
#include "storage/commit_log.h"
#include "storage/dispatch_entry.h"

namespace rmq::storage {

class LogFollower {
 public:
  struct Hooks {
    // All on the thread of append(); as those of LogWriter.
    std::function<void(std::span<const DispatchEntry>)> hand_over;
    std::function<void()> on_appended;
    std::function<void()> on_half_full;
    std::function<void(const Error&)> on_disk_full;
    std::function<void(const Error&)> on_error;
  };

  LogFollower(CommitLog& log, const EntryMaker& maker, Watermark<AppendedOffset>& appended);

  // Once, before any reign. Until then append() fails with Stopped.
  void start(Hooks hooks);
  // Bytes are taken. The log ends at `end`.
  void begin_reign(PhysicalOffset end, std::int64_t last_store_timestamp_ms);
  // Bytes that come from now on are refused with `why`, until begin_reign(), and a record that has
  // come in parts is forgotten. Returns when the append under way is done. Not from a hook.
  void rest(const Error& why);

  // `bytes` of the other log, from `at` on, which must follow what was taken before; in an empty
  // log they may begin with any segment. Errors: StoreErrc::OffsetOutOfRange when they do not
  // follow; RecordMalformed, naming the position, and nothing from there on is taken; DiskFull
  // until there is room; Stopped, ReadOnly.
  Result<> append(PhysicalOffset at, ByteView bytes);
  // Forgets the record that has come in parts only: where the next bytes must begin.
  PhysicalOffset resume();

  // Bytes that come from now on are refused with `why`, until unpause().
  void pause(const Error& why);
  void unpause();
  // For good.
  void refuse(const Error& why);
  // The same with Stopped, and returns when the append under way is done. Not from a hook.
  void stop();

  // Bytes of failed appends may lie behind the end of the log, up to here.
  PhysicalOffset unwiped_end();

  // The store time of the last record written, or of an earlier one.
  std::int64_t last_store_timestamp_ms() const {
    return published_timestamp_ms_.load(std::memory_order_acquire);
  }

 private:
  Result<> refusal();
  Result<> begin_at(PhysicalOffset at) RMQ_REQUIRES(append_mutex_);
  Result<> take(ByteView bytes) RMQ_REQUIRES(append_mutex_);
  Result<std::optional<std::size_t>> record_size(ByteView head) const RMQ_REQUIRES(append_mutex_);
  Result<std::size_t> complete_partial(ByteView bytes) RMQ_REQUIRES(append_mutex_);
  Result<> take_record(ByteView record) RMQ_REQUIRES(append_mutex_);
  Result<> write_taken() RMQ_REQUIRES(append_mutex_);
  Result<> write_parts() RMQ_REQUIRES(append_mutex_);
  Error give_up(const Error& why);

  CommitLog& log_;
  const EntryMaker& maker_;
  Watermark<AppendedOffset>& appended_;
  Hooks hooks_;

  Mutex append_mutex_;                                  // one append at a time; before mutex_
  PhysicalOffset end_ RMQ_GUARDED_BY(append_mutex_);    // of what is written
  PhysicalOffset taken_ RMQ_GUARDED_BY(append_mutex_);  // of whole records taken in this call
  Bytes partial_ RMQ_GUARDED_BY(append_mutex_);         // the beginning of a record
  Bytes completed_ RMQ_GUARDED_BY(append_mutex_);  // one that came in parts, while it is written
  std::vector<ByteView> parts_ RMQ_GUARDED_BY(append_mutex_);
  std::vector<DispatchEntry> entries_ RMQ_GUARDED_BY(append_mutex_);
  std::optional<Error> write_failure_ RMQ_GUARDED_BY(append_mutex_);  // of this call
  std::int64_t last_timestamp_ms_ RMQ_GUARDED_BY(append_mutex_) = 0;
  bool next_asked_ RMQ_GUARDED_BY(append_mutex_) = false;
  PhysicalOffset unwiped_end_ RMQ_GUARDED_BY(append_mutex_);

  Mutex mutex_;
  std::optional<Error> refused_ RMQ_GUARDED_BY(mutex_);  // for good
  std::optional<Error> resting_ RMQ_GUARDED_BY(mutex_);  // until the next reign
  std::optional<Error> paused_ RMQ_GUARDED_BY(mutex_);

  std::atomic<std::int64_t> published_timestamp_ms_{0};
};

}  // namespace rmq::storage
