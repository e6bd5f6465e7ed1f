// Dispatcher: the thread that builds consume queues from the log, in log order, and tells who came.
//
// The writer hands over what it has just written, so that nothing is read back. The hand-over is
// bounded: when it is full, entries are dropped and read from the log later. So what can be read is
// bounded by the log and not by memory.
// It stops at a limit that others move: the flushed end under sync flush, else the appended end.
// A record that cannot be read, or would not fit its queue, stops dispatch for good and is reported
// (Java skips what it cannot read).
// Threads: as said at each call.
// Crash: nothing of it; recovery dispatches again.
#pragma once

#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/watermark.h"
#include "storage/arrival.h"
#include "storage/commit_log.h"
#include "storage/queue_builder.h"

namespace rmq::storage {

class Dispatcher {
 public:
  struct Hooks {
    // How far dispatch may go. Any thread.
    std::function<PhysicalOffset()> limit;
    // On the dispatcher thread, after the entries can be read. May be empty.
    std::function<void(std::span<const Arrival>)> on_arrival;
    // On the dispatcher thread, after on_arrival: all records up to the offset. May be empty.
    std::function<void(std::span<const DispatchEntry>, PhysicalOffset)> on_dispatched;
    // On the dispatcher thread: a queue's file needs space that is not there; dispatch tries again
    // until there is. May be empty.
    std::function<void(const Error&)> on_disk_full;
    // On the dispatcher thread, once, before it ends.
    std::function<void(const Error&)> on_error;
    // On the dispatcher thread, whenever it is awake: writes what a writer left behind.
    std::function<void()> help;
  };
  // Where dispatch has come to, and what lies before that.
  struct Progress {
    PhysicalOffset position;
    PhysicalOffset last_record;
    std::int64_t last_record_bytes = 0;
    std::int64_t last_store_timestamp_ms = 0;
    std::int64_t queues = 0;       // that have entries of records before position, or had them
    std::int64_t sum_of_ends = 0;  // of all queues: one past the last entry before position
  };
  static constexpr std::size_t kHandOverMax = 64 * 1024;

  Dispatcher(const CommitLog& log, ConsumeQueueSet& queues, const EntryMaker& maker,
             Watermark<DispatchedOffset>& dispatched, std::size_t hand_over_max = kHandOverMax)
      : log_(log),
        maker_(maker),
        builder_(queues),
        dispatched_(dispatched),
        hand_over_max_(hand_over_max) {}
  ~Dispatcher() { stop(Drain::No); }

  // Again after stop(), too; what was handed over before is forgotten then.
  void start(const Progress& from, Hooks hooks);
  enum class Drain { No, Yes };
  // Drain::Yes: goes on up to the limit first. Not on the dispatcher thread.
  void stop(Drain drain);
  // Returns when dispatch has come to its limit, or cannot go on for now. Not on the dispatcher
  // thread.
  void settle();

  // By the writer, in log order, before the appended end moves past them.
  void hand_over(std::span<const DispatchEntry> entries);
  // The limit has moved, or there is something to help with. Any thread.
  void wake();

  Progress progress() const;

 private:
  void run();
  bool wait_for_work();
  bool wait_for_room(const Error& why);
  void note_rest() RMQ_REQUIRES(mutex_);
  Result<> dispatch_up_to(PhysicalOffset limit);
  bool take_handed_over();
  std::span<const DispatchEntry> handed_over_run(PhysicalOffset limit);
  Result<> dispatch_from_log(PhysicalOffset limit);
  Result<> apply(std::span<const DispatchEntry> entries, PhysicalOffset end);

  const CommitLog& log_;
  const EntryMaker& maker_;
  QueueBuilder builder_;
  Watermark<DispatchedOffset>& dispatched_;
  const std::size_t hand_over_max_;
  Hooks hooks_;
  std::thread thread_;

  // The dispatcher thread's own.
  PhysicalOffset position_;
  std::int64_t queues_at_start_ = 0;
  std::int64_t sum_of_ends_at_start_ = 0;
  std::vector<DispatchEntry> work_;  // taken over; [cursor_, end) is to be done
  std::size_t cursor_ = 0;
  std::vector<DispatchEntry> from_log_;
  std::vector<const DispatchEntry*> added_;
  std::vector<Arrival> arrivals_;

  mutable Mutex mutex_;
  Condition changed_;
  std::vector<DispatchEntry> handed_over_ RMQ_GUARDED_BY(mutex_);
  Progress progress_ RMQ_GUARDED_BY(mutex_);
  bool woken_ RMQ_GUARDED_BY(mutex_) = false;
  bool waiting_ RMQ_GUARDED_BY(mutex_) = false;
  std::int64_t rests_ RMQ_GUARDED_BY(mutex_) = 0;  // so often there was nothing to do
  bool ended_ RMQ_GUARDED_BY(mutex_) = true;       // no thread
  Condition rested_;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  bool drain_ RMQ_GUARDED_BY(mutex_) = false;
};

}  // namespace rmq::storage
