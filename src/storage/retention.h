// Retention: the thread that deletes old commit log files, and what consume queues and message
// index have of them; and that stops writing while the disk is full, and lets it go on when there
// is room. When and how much: retention_rule.h.
//
// A file's age is that of its newest message, as the next file's first one says (Java goes by the
// time of the last change of the file, which a copied store has lost). A file that somebody reads
// is unlinked, and its space is free when the last reader lets go. The newest file always stays.
// A log in several directories is as full as the emptiest of them; those beyond the second
// watermark get no new files. The disk with queues and index counts as well, as in Java. Threads:
// as said at each call. Crash: files go from the oldest on, so that the rest still follow each
// other. Queues and index are made to fit the log at each open.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/commit_log.h"
#include "storage/consume_queue_set.h"
#include "storage/message_index.h"
#include "storage/retention_rule.h"

namespace rmq::storage {

class Retention {
 public:
  struct Parts {
    const StoreConfig& config;
    FileSystem& files;
    Clock& clock;
    std::string root;  // the store's directory: queues and index are there
    CommitLog& log;
    ConsumeQueueSet& queues;
    MessageIndex* index = nullptr;  // null: messages are not indexed
  };
  struct Hooks {
    // Nothing that begins here or later may go, nor what lies directly before: the queues' entries
    // for it are not on disk yet, and recovery begins with the last record before.
    std::function<PhysicalOffset()> limit;
    // The disk is full, and why: writes must be refused until on_room().
    std::function<void(const Error& why)> on_full;
    std::function<void()> on_room;
  };

  explicit Retention(const Parts& parts) : parts_(parts) {}
  ~Retention() { stop(); }

  // Hooks are called on this object's thread. The first look at the disk is now.
  void start(Hooks hooks);
  void stop();

  // Expired files go now, whatever the hour. Any thread.
  void delete_expired();
  // Space was missing for a file, and writes are refused: room is to be looked for. Any thread.
  void disk_was_full();

 private:
  void run();
  // True when what was asked for is not done yet.
  bool round(bool asked);
  // False when there may be more to delete in the next round.
  bool delete_files(RetentionRule rule, bool asked);
  // The oldest file, unless it is the newest, too.
  struct Oldest {
    std::string path;  // empty: there is none to delete
    PhysicalOffset end;
    bool expired = false;  // its newest message is older than files are kept for
  };
  Result<Oldest> look_at_oldest() const;
  Result<RetentionRule> look(bool asked);
  Result<DiskSpace> roomiest_log();
  void follow_log();
  void note_full_write() RMQ_REQUIRES(mutex_);
  void let_write(const RetentionRule& rule);
  bool note_failure(const char* what, const Error& why);  // true, for who can do no more

  const Parts parts_;
  Hooks hooks_;
  std::thread thread_;
  DiskSpace space_;          // as seen last, of what is shortest of it
  PhysicalOffset followed_;  // queues and index have nothing before it
  bool full_ = false;        // writes are refused
  SteadyTime full_until_;    // at least, because a write has found no room
  std::chrono::milliseconds full_pause_{};
  SteadyTime let_write_at_;  // when writes were allowed again last
  std::string failure_;      // in the log last, so that it is not said again and again

  Mutex mutex_;
  Condition changed_;
  bool asked_ RMQ_GUARDED_BY(mutex_) = false;
  bool was_full_ RMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
};

}  // namespace rmq::storage
