// LogWriter: gives records their offsets and writes them, one gathered write for many batches.
//
// Whoever calls append() while nobody writes becomes the writer, for its own batch and what others
// leave meanwhile; who finds a writer leaves its batch to it and goes. A writer is captive for a
// bounded time only; what it then leaves is taken up by the next append() or by help(), whichever
// comes first.
// The order of one turn: offsets and store times into the records, the write, entries handed to
// dispatch, the appended watermark, completions (outside the lock, in order within a turn).
// It writes while its store leads, reign by reign: begin_reign(), rest().
// Threads: any. The writer role is held by one thread at a time.
// Crash and errors: a write that fails, or a segment that cannot be made, fails the whole turn;
// what it had written is zeroed, its offsets are given back, and nothing is written any more; but
// where only space was missing, writing goes on when there is room.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/watermark.h"
#include "protocol/message_record.h"
#include "storage/append_batch.h"
#include "storage/commit_log.h"
#include "storage/dispatcher.h"

namespace rmq::storage {

class LogWriter {
 public:
  struct Hooks {
    // By the writer, outside the lock; must not append.
    std::function<void(std::span<const DispatchEntry>)> hand_over;
    // By the writer, after the appended watermark has moved.
    std::function<void()> on_appended;
    // A writer leaves with batches still pending: call help() on another thread.
    std::function<void()> on_left_over;
    // More than half of the current segment is written: make the next one on another thread.
    std::function<void()> on_half_full;
    // There was no space for a turn or its segment, and append() is paused.
    std::function<void(const Error&)> on_disk_full;
    // Once, by the writer: why nothing is written any more.
    std::function<void(const Error&)> on_error;
  };

  LogWriter(CommitLog& log, Watermark<AppendedOffset>& appended, Clock& clock);

  // Once, before any reign. Until then append() fails with Stopped.
  void start(Hooks hooks);
  // Batches are taken. The log ends at `end`, where writing goes on; `reign` is for those batches.
  void begin_reign(PhysicalOffset end, std::int64_t last_store_timestamp_ms, std::int64_t reign);
  // Batches that come from now on fail with `why`, until begin_reign(). Returns when those accepted
  // are written, or have failed. Not from a completion.
  void rest(const Error& why);
  // The same for good, with Stopped.
  void stop();
  // Refuses further batches and fails pending ones with `why`.
  void fail_all(const Error& why);

  // Batches that come from now on fail with `why`, until resume().
  void pause(const Error& why);
  void resume();

  void append(std::unique_ptr<AppendBatch> batch, AppendDone done);
  // Writes what a writer has left behind, if nobody else does.
  void help();

  // Bytes of failed appends may lie behind the end of the log, up to here. At rest.
  PhysicalOffset unwiped_end() const { return unwiped_end_; }

  // The store time of the last record written; read it before appended() to get a time that is not
  // later than that of the record there.
  std::int64_t last_store_timestamp_ms() const {
    return published_timestamp_ms_.load(std::memory_order_acquire);
  }

 private:
  struct Pending {
    std::unique_ptr<AppendBatch> batch;
    AppendDone done;
    Result<> outcome;
  };
  struct Advanced {
    StoredQueue* queue;
    QueueOffset before;
  };

  Result<> check(const AppendBatch& batch) const;
  void write_pending();
  void drain();
  bool has_left_over();
  std::size_t turn_size() const;
  void write_turn(std::span<Pending> turn);
  Result<> place_and_write(std::span<Pending> turn, std::int64_t now_ms);
  void place(AppendBatch& batch, const AppendBatch::Group& group, std::int64_t now_ms);
  Result<> close_segment();
  Result<> write_parts();
  bool undo(PhysicalOffset begin);
  void publish(std::int64_t now_ms);
  void give_up(const Error& why);
  static void complete(std::span<Pending> turn);

  CommitLog& log_;
  Watermark<AppendedOffset>& appended_;
  Clock& clock_;
  Hooks hooks_;

  Mutex mutex_;
  Condition idle_;
  std::vector<Pending> pending_ RMQ_GUARDED_BY(mutex_);
  bool writing_ RMQ_GUARDED_BY(mutex_) = false;
  std::optional<Error> refused_ RMQ_GUARDED_BY(mutex_);  // for good
  std::optional<Error> resting_ RMQ_GUARDED_BY(mutex_);  // until the next reign
  std::optional<Error> paused_ RMQ_GUARDED_BY(mutex_);

  // The writer role's own.
  std::vector<Pending> taken_;  // [taken_done_, end) is to be written
  std::size_t taken_done_ = 0;
  PhysicalOffset position_;
  std::int64_t last_timestamp_ms_ = 0;
  std::int64_t reign_ = 0;
  bool next_asked_ = false;
  bool rolled_ = false;         // in this turn
  PhysicalOffset unwiped_end_;  // bytes of failed turns may lie from position_ up to here
  std::vector<ByteView> parts_;
  PhysicalOffset parts_at_;
  std::vector<Advanced> advanced_;
  std::vector<DispatchEntry> entries_;
  std::array<std::byte, protocol::kBlankRecordBytes> blank_{};

  std::atomic<std::int64_t> published_timestamp_ms_{0};
};

}  // namespace rmq::storage
