// ConsumeQueueSet: all queues of the store, by topic and number. Queues are made on first use and
// never go while the store is open, so a pointer to one stays good.
// Threads: load() and for_each() with mutations before any other; sync() on one thread;
// mark_dirty() on the dispatcher; the rest on any.
#pragma once

#include <functional>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/string_map.h"
#include "storage/layout.h"
#include "storage/stored_queue.h"

namespace rmq::storage {

class ConsumeQueueSet {
 public:
  ConsumeQueueSet(FileSystem& files, const Layout& layout, std::int64_t file_bytes,
                  std::size_t open_files_max);

  // Every <topic>/<queue id>/ under consumequeue.
  Result<> load();

  StoredQueue& get(std::string_view topic, QueueId queue_id);
  StoredQueue* find(std::string_view topic, QueueId queue_id) const;
  // By topic and number.
  std::vector<StoredQueue*> all() const;
  std::vector<StoredQueue*> of_topic(std::string_view topic) const;

  // How many queues have entries of records before `at`, or had them.
  Result<std::int64_t> count_begun_before(PhysicalOffset at) const;
  // A hash of their names and of where their files begin and end. Not while dispatch runs.
  std::int64_t hash_of_bounds() const;
  // Of the offsets where they end. Not while dispatch runs.
  std::int64_t sum_of_ends() const;

  void mark_dirty(const std::vector<StoredQueue*>& queues);
  // Puts on disk what was appended before the call.
  Result<> sync();

 private:
  using TopicQueues = std::unordered_map<QueueId, std::unique_ptr<StoredQueue>>;

  FileCache cache_;
  const Layout layout_;
  const std::int64_t file_bytes_;

  mutable std::shared_mutex mutex_;
  StringMap<TopicQueues> topics_;  // under mutex_

  Mutex dirty_mutex_;
  std::unordered_set<StoredQueue*> dirty_ RMQ_GUARDED_BY(dirty_mutex_);
};

}  // namespace rmq::storage
