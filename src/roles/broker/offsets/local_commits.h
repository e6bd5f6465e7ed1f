// LocalCommits: what consumers have committed on this slave and its master does not have yet.
// File: rmq/slave-commits.json, {"offsetTable":...} as in consumerOffset.json; a store without one
// has no such commits. Threads: any, except load(). Crash: commits since the last save are gone:
// those messages are delivered again.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "base/units.h"
#include "roles/broker/metadata_file.h"
#include "roles/broker/offsets/offsets_json.h"

namespace rmq::roles::broker {

class LocalCommits {
 public:
  // An empty `path`: for a table that is not consumers', and has none.
  LocalCommits(FileSystem& files, std::string path);

  // What a process before has left. A file that cannot be read is as good as none, with a warning.
  void load();

  // False: this broker is its own master, and what it has is forgotten.
  void keep(bool keep);
  bool kept() const { return keep_.load(std::memory_order_relaxed); }

  void note(std::string_view key, QueueId queue_id, QueueOffset offset);
  // Puts into `masters`, the master's offsets of `key`, what is further here; what the master has
  // is forgotten.
  void merge_into(std::string_view key, QueueOffsets& masters);
  // The master has heard of this one, unless it has changed since.
  void forget(std::string_view key, QueueId queue_id, QueueOffset offset);
  bool contains(std::string_view key) const;
  GroupOffsets all() const;

  // Errors: errno.
  Result<> save_if_changed();

 private:
  std::atomic<bool> keep_{false};
  mutable Mutex mutex_;
  GroupOffsets commits_ RMQ_GUARDED_BY(mutex_);
  std::int64_t changes_ RMQ_GUARDED_BY(mutex_) = 0;

  Mutex save_mutex_;  // one save at a time; before mutex_
  MetadataFile file_ RMQ_GUARDED_BY(save_mutex_);
  std::int64_t saved_changes_ RMQ_GUARDED_BY(save_mutex_) = 0;
};

}  // namespace rmq::roles::broker
