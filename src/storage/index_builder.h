// IndexBuilder: puts the keys of records into the message index, in log order.
// As a rule it follows dispatch, on the dispatcher thread. When the index ends before what was
// dispatched (after a crash, after damage, when it was switched on) a thread of its own reads the
// missing part from the log first, so that neither the start nor consumers wait for it; queries
// meanwhile find what is there.
// While the disk is full that thread takes over, and goes on when there is room. Any other failing
// write or sync ends the building for good, with an error in the log: the store and its consumers
// go on, and the next start continues where the index ends on disk.
// Threads: as said at each call.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/watermark.h"
#include "storage/commit_log.h"
#include "storage/dispatch_entry.h"
#include "storage/message_index.h"

namespace rmq::storage {

class IndexBuilder {
 public:
  IndexBuilder(const CommitLog& log, MessageIndex& index) : log_(log), index_(index) {}
  ~IndexBuilder() { stop(); }

  // Dispatch goes on at `dispatched`. When the index is not of this log it begins anew.
  Result<> open(PhysicalOffset dispatched);
  // The same after the log was cut, and with it dispatch and the index. While nothing of it runs.
  Result<> reopen(PhysicalOffset dispatched);
  // Builds what is missing, if anything is.
  void start();
  // After the dispatcher.
  void stop();
  // Whether building has ended for good.
  bool failed() const { return failed_; }

  // On the dispatcher, in log order: `entries` are the records up to `end`.
  void follow(std::span<const DispatchEntry> entries, PhysicalOffset end);
  // On one thread: the newest mark; nothing when syncing has failed, or, with Force::Yes, when
  // there was no space for it.
  std::optional<IndexMark> sync(MessageIndex::Force force);

  // How far the index is complete. Closed when it will not be built further.
  Watermark<IndexedOffset>& indexed() { return indexed_; }

 private:
  void fall_behind(const Error& why);
  void catch_up();
  bool wait_for_room();
  Result<> add_from_log(PhysicalOffset limit);
  Result<> collect(const DispatchEntry& entry);
  void give_up(const Error& why);

  const CommitLog& log_;
  MessageIndex& index_;
  Watermark<IndexedOffset> indexed_;
  std::thread thread_;  // made by start() and the dispatcher
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};

  // Whoever adds: the dispatcher, or the thread while it is behind.
  std::vector<IndexKey> keys_;
  std::shared_ptr<Segment> segment_;
  std::shared_ptr<const Mapping> mapping_;  // segment_'s

  Mutex mutex_;
  Condition stopped_;
  bool behind_ RMQ_GUARDED_BY(mutex_) = false;
  PhysicalOffset dispatched_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::storage
