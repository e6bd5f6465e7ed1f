// Recovery: finds the end of the log at open and makes the consume queues fit it.
//
// After a clean stop of our own nothing is read. Otherwise the log is read from a starting point
// on: after a crash our LogMark if it fits, else Java's rule from the checkpoint; after a clean
// stop of Java, the newest segment that the consume queues know of. It ends at the first record
// that is not sound. What lies behind is a torn tail and goes, unless it was known to be on disk:
// then the store is damaged, and opening fails with the position rather than dropping anything.
// Consume queues lose entries from the starting point on (after a crash) and get them again from
// the log; one that turns out to miss earlier entries is made again from the whole log.
// A queue's first file that was being made at the moment of a kill is no such one.
// Threads: one, before any other touches the store.
// Crash: every step can be done again from the start.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/dispatcher.h"
#include "storage/log_cursor.h"
#include "storage/log_mark.h"
#include "storage/queue_builder.h"
#include "storage/read_progress.h"

namespace rmq::storage {

class Recovery {
 public:
  // `mark`: what LogMarkFile::found() returned.
  Recovery(CommitLog& log, ConsumeQueueSet& queues, const EntryMaker& maker,
           const CheckpointValues& checkpoint, std::optional<LogMark> mark,
           ProgressListener on_progress)
      : on_progress_(std::move(on_progress)),
        log_(log),
        queues_(queues),
        maker_(maker),
        builder_(queues),
        checkpoint_(checkpoint),
        mark_(std::move(mark)),
        mark_fits_(mark_ && fits(*mark_, log)) {}

  // How the queues are to be loaded, which comes before run(). `unclean`: the store was not
  // stopped.
  ConsumeQueue::Search search(bool unclean) const;

  // Afterwards log and queues end together and are ready for writing; the log is synced, and so are
  // the queues as far as recovery would not do the same again; the queues' next offsets are set.
  // Errors: StoreErrc::Corrupt, naming the position; I/O errors.
  Result<Dispatcher::Progress> run(bool unclean);

  // What of the log run() has read begins here.
  PhysicalOffset read_from() const { return read_from_; }
  // Whether the whole log had to be read to make queues again; for the log and tests.
  bool rebuilt() const { return rebuilt_; }

 private:
  enum class Mode {
    Trusting,  // nothing to read
    Adding,    // the queues are as they should be, but may lack entries
    Again,     // entries from the starting point on are not to be trusted
  };
  struct Plan {
    Mode mode = Mode::Again;
    PhysicalOffset start;
    // After another crash recovery would begin no later, so the queues need not be synced now.
    bool same_next_time = false;
  };

  bool trusts(bool unclean) const;
  Result<Plan> plan(bool unclean);
  Result<bool> stopped_cleanly();
  bool queues_end_elsewhere() const;
  Result<bool> is_unwritten(PhysicalOffset at);
  Result<bool> is_torn(const protocol::MessageRecord& record, PhysicalOffset end);
  Result<bool> has_empty_sector(PhysicalOffset from, PhysicalOffset to);
  Result<PhysicalOffset> start_after_java_stop();
  Result<PhysicalOffset> start_after_crash();
  Result<PhysicalOffset> start_for_lost_files(PhysicalOffset start);
  std::optional<protocol::MessageRecord> first_record(Segment& segment);
  Result<> scan(PhysicalOffset start);
  Result<> forget_unborn();
  Result<> judge_tail(const Error& why);
  Result<> take(const protocol::MessageRecord& record);
  Result<> flush_entries();
  Result<> rebuild();
  Result<> rebuild_entry(const DispatchEntry& entry);
  Result<> cut_queues(PhysicalOffset end);
  Result<> finish(const Plan& done);

  const ProgressListener on_progress_;
  CommitLog& log_;
  ConsumeQueueSet& queues_;
  const EntryMaker& maker_;
  QueueBuilder builder_;
  const CheckpointValues checkpoint_;
  const std::optional<LogMark> mark_;
  const bool mark_fits_;  // reading may start there

  Dispatcher::Progress progress_;  // position: the end of the log
  PhysicalOffset read_from_;
  bool rebuilt_ = false;
  std::vector<DispatchEntry> entries_;
  std::vector<const DispatchEntry*> added_;
  // Where each queue will end when entries_ are in it.
  std::unordered_map<StoredQueue*, QueueOffset> ends_;
  std::unordered_set<StoredQueue*> broken_;  // to be made again
};

}  // namespace rmq::storage
