// MessageIndex: which records have a key, in as many index files as it takes. Derived data.
// Format: index/<yyyyMMddHHmmssSSS>, local time of creation (IndexService.java); see index_file.h.
// It is complete up to position(): the keys of all records before that, in log order, are in it.
// Damage is met by dropping the damaged file and all newer ones; position() is then where the one
// before ends, and who builds the index goes on from there.
// Threads: open() and reset() while nobody else is there; add() on one thread at a time; sync() on one; the rest on any.
// Crash: what sync() has returned is on disk. open() takes that, drops what came later, and
// position() says from where keys are added again. Some entries may then exist twice.
// Memory: the slots of one file, 4 bytes each, while keys are added. Files: two open, and one per
// search.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/index_file.h"

namespace rmq::storage {

// How far an index was known to be on disk.
struct IndexMark {
  std::int64_t file = 0;  // name of the newest file as a number; 0: none
  IndexHeader header;     // of that file
  PhysicalOffset position;

  friend bool operator==(const IndexMark&, const IndexMark&) = default;
};

// How an index was left, and the log it belongs to.
struct IndexSituation {
  bool clean = false;             // stopped, by whom ever
  std::optional<IndexMark> mark;  // empty when Java, or a store without index, ran last
  PhysicalOffset log_begin;
  PhysicalOffset log_end;
};

class MessageIndex {
 public:
  // `sync_interval`: at least so long between two syncs that nobody insists on.
  MessageIndex(FileSystem& files, std::string directory, const IndexShape& shape, Clock& clock,
               std::chrono::milliseconds sync_interval = std::chrono::seconds(30));

  // From the files, also again. Errors: StoreErrc::WrongFileSize for a file longer than `shape` says, which is no damage but a
  // changed setting; I/O errors.
  Result<> open(const IndexSituation& situation);
  // Everything goes; position() is `position`.
  Result<> reset(PhysicalOffset position);

  // Drops the files that have only records before `log_begin`; never the last one, as in Java.
  Result<> drop_expired(PhysicalOffset log_begin);

  PhysicalOffset position() const;
  // The keys of the records between position() and `position`. After an error the index must not be
  // added to any more; but when only space was missing, it may be, from position() on.
  Result<> add(std::span<const IndexKey> keys, PhysicalOffset position);

  // What is on disk. Force::No: perhaps not the newest, but all files that are full. Error
  // StoreErrc::DiskFull: only space was missing, and it may be called again.
  enum class Force { No, Yes };
  Result<IndexMark> sync(Force force);

  // Calls search.take. Error: reading failed.
  Result<> find(const IndexSearch& search) const;
  // Store time and offset of the last record with a key; zeros when there is none.
  struct Last {
    std::int64_t store_timestamp_ms = 0;
    PhysicalOffset physical;
  };
  Last last() const;

 private:
  struct Closed {
    std::int64_t name = 0;
    IndexHeader header;
  };

  std::string path_of(std::int64_t name) const;
  Result<> load();
  Result<> drop_from(std::size_t first);
  Result<> take_last(const IndexSituation& situation);
  Result<> roll() RMQ_REQUIRES(mutex_);
  std::int64_t next_name() const RMQ_REQUIRES(mutex_);

  FileSystem& files_;
  const std::string directory_;
  const IndexShape shape_;
  Clock& clock_;
  const std::chrono::milliseconds sync_interval_;

  mutable Mutex mutex_;
  std::vector<Closed> closed_ RMQ_GUARDED_BY(mutex_);  // by name; the current one is not among them
  std::int64_t current_name_ RMQ_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<IndexFile> current_ RMQ_GUARDED_BY(mutex_);
  PhysicalOffset position_ RMQ_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<File>> unsynced_
      RMQ_GUARDED_BY(mutex_);  // closed since the last sync
  bool new_names_ RMQ_GUARDED_BY(mutex_) = false;

  // Who syncs.
  IndexMark synced_;
  SteadyTime synced_at_{};
};

}  // namespace rmq::storage
