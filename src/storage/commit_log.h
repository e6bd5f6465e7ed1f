// CommitLog: the segments of the log, seen as one long range of bytes. It makes, opens, rolls,
// syncs and cuts files; what is in them is LogWriter's and LogCursor's business.
// Format (RocketMQ CommitLog.java): records (protocol/message_record.h) back to back, a blank
// record where the next one did not fit; a segment's name is the physical offset of its first byte.
// Threads: load() and cut() before any other, truncate() while nobody reads or writes; write() and
// roll() by whoever holds the writer role; prepare_next() and the rest on any thread. Crash: a
// segment is complete and named on disk before the first byte goes into it. Bytes are on disk after
// sync().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/snapshot.h"
#include "storage/log_directories.h"
#include "storage/segment.h"

namespace rmq::storage {

class CommitLog {
 public:
  CommitLog(FileCache& cache, LogDirectories& directories, std::int64_t segment_bytes);

  // Opens what is there. A last file of length 0 is removed, a short last file lengthened; anything
  // else that is no segment of this size is an error that names it.
  Result<> load();
  // Makes `end` the end of the log: zeros from there on, no segments behind, a segment to write to,
  // everything synced from `sync_from` on. What is written next goes to `end`.
  Result<> cut(PhysicalOffset end, PhysicalOffset sync_from);

  // Takes back records while the store runs: `end`, which must be in the log, becomes its end. Of
  // what lies behind, up to `written_end`, only zeros remain, in as much space, which may be short;
  // whole segments go. Mappings stay, and what they show may become zeros. Everything is synced. A
  // crash leaves the records up to `end` and, perhaps, some of those that followed.
  Result<> truncate(PhysicalOffset end, PhysicalOffset written_end);

  // The writer role.
  PhysicalOffset write_segment_end() const { return current_->end(); }
  // Within the segment that is written to. Where that reaches bytes that nothing was written to,
  // zeros follow, up to kZerosAhead: nothing but zeros may lie behind.
  Result<> write(std::span<const ByteView> parts, PhysicalOffset at);
  // Goes on to the next segment.
  Result<> roll();
  // Nothing was written yet: the log begins at `at`, the beginning of a segment, and not at 0.
  Result<> begin_at(PhysicalOffset at);
  // Takes back roll(): the segment of `at`, which one was before, is written to again.
  Result<> go_back_to(PhysicalOffset at);
  // Takes back bytes that no reader has seen: zeros in [from, to), perhaps over several segments.
  Result<> wipe(PhysicalOffset from, PhysicalOffset to);

  // Makes the segment behind the current one unless that was done; roll() then only takes it.
  Result<> prepare_next();

  // Lets go of the mappings of segments that end by `at`.
  void unmap_before(PhysicalOffset at);

  // Drops the oldest segment, which must not be the newest: nobody finds it any more, its file is
  // unlinked, and who reads it keeps it. One thread at a time. Error: the file stays.
  Result<> drop_first();

  bool empty() const { return segments_.load()->empty(); }
  // The first byte that is kept.
  PhysicalOffset begin() const;
  // Where the last segment ends.
  PhysicalOffset capacity_end() const;
  // The segment that holds the byte at `at`; null when there is none.
  std::shared_ptr<Segment> segment_of(PhysicalOffset at) const;
  std::vector<std::shared_ptr<Segment>> segments() const { return *segments_.load(); }
  // fdatasync of every segment with a byte in [from, to). Nothing is written before `to` any more.
  Result<> sync(PhysicalOffset from, PhysicalOffset to);

  std::int64_t segment_bytes() const { return segment_bytes_; }
  LogDirectories& directories() const { return directories_; }

 private:
  using Segments = std::vector<std::shared_ptr<Segment>>;

  Result<> drop_behind(PhysicalOffset end, Segments& kept);
  Result<> write_on(PhysicalOffset sync_from);
  Result<std::int64_t> load_one(const std::string& path, bool last);
  Result<std::shared_ptr<Segment>> create(PhysicalOffset base);
  Result<> write_to(std::shared_ptr<Segment> segment);

  FileCache& cache_;
  FileSystem& files_;
  LogDirectories& directories_;
  const std::int64_t segment_bytes_;

  Mutex segments_mutex_;
  Snapshot<Segments> segments_;       // replaced under segments_mutex_
  std::shared_ptr<Segment> current_;  // writer role
  std::shared_ptr<File> written_;     // writer role; current_'s
  PhysicalOffset zeros_end_;          // writer role; where the zeros that write() added end
  std::vector<ByteView> with_zeros_;  // writer role; kept for its capacity

  Mutex next_mutex_;
  std::shared_ptr<Segment> next_ RMQ_GUARDED_BY(next_mutex_);
  PhysicalOffset next_base_ RMQ_GUARDED_BY(next_mutex_);  // where current_ ends
  std::atomic<bool> said_full_{false};                    // that there is no room; in the log
};

}  // namespace rmq::storage
