// ConsumeQueueSet: all queues of the store, by topic and number. Queues are made on first use and
// never go while the store is open, so a pointer to one stays good.
// Threads: load() before any other, on several by itself; sync() on one thread; mark_dirty() and
// the long tails on the dispatcher; the rest on any.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <shared_mutex>
#include <span>
#include <vector>

#include "base/flat_index.h"
#include "base/string_map.h"
#include "storage/layout.h"
#include "storage/stored_queue.h"

namespace rmq::storage {

class ConsumeQueueSet {
 public:
  ConsumeQueueSet(FileCache& cache, const Layout& layout, std::int64_t file_bytes);

  // Every <topic>/<queue id>/ under consumequeue; those that are not damaged know their end then.
  Result<> load(ConsumeQueue::Search search);

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

  // On the dispatcher: the queue holds much in memory, write_long_tails() is to put it into its
  // file.
  void want_written(StoredQueue& queue) { long_tails_.push_back(&queue); }
  // Error: those that are not written will be with the next call.
  Result<> write_long_tails();
  void mark_dirty(const std::vector<StoredQueue*>& queues);
  // Puts on disk what was published before the call. Error: what could not be written, because the
  // disk is full, will be with a later call; a failed sync is final.
  Result<> sync();

 private:
  using QueueUnsynced = std::pair<StoredQueue*, ConsumeQueue::Unsynced>;
  using TopicQueues = std::vector<std::unique_ptr<StoredQueue>>;

  Result<> load_topic(const std::string& topic, ConsumeQueue::Search search);
  StoredQueue* find_locked(std::uint64_t hash, std::string_view topic, QueueId queue_id) const;
  Result<> sync_one_by_one(std::span<const QueueUnsynced> unsynced);

  FileCache& cache_;
  const Layout layout_;
  const std::int64_t file_bytes_;
  std::vector<StoredQueue*> long_tails_;

  mutable std::shared_mutex mutex_;
  StringMap<TopicQueues> topics_;  // under mutex_
  FlatIndex<StoredQueue*> index_;  // likewise

  Mutex dirty_mutex_;
  std::vector<StoredQueue*> dirty_ RMQ_GUARDED_BY(dirty_mutex_);  // each once: StoredQueue::dirty
};

}  // namespace rmq::storage
