#include "storage/consume_queue_set.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include "base/parallel.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::size_t kSyncedOneByOneMax = 64;

}  // namespace

ConsumeQueueSet::ConsumeQueueSet(FileCache& cache, const Layout& layout, std::int64_t file_bytes)
    : cache_(cache), layout_(layout), file_bytes_(file_bytes) {}

Result<> ConsumeQueueSet::load(ConsumeQueue::Search search) {
  RMQ_TRY(const std::vector<std::string> topics, cache_.files().list(layout_.consume_queues()));
  return for_each_parallel(topics.size(),
                           [&](std::size_t index) { return load_topic(topics[index], search); });
}

Result<> ConsumeQueueSet::load_topic(const std::string& topic, ConsumeQueue::Search search) {
  RMQ_TRY(const std::vector<std::string> queues, cache_.files().list(layout_.topic(topic)));
  for (const std::string& name : queues) {
    QueueId id = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, id);
    if (error != std::errc() || stop != end) {
      return fail(StoreErrc::WrongFileName, layout_.topic(topic) + "/" + name);
    }
    ConsumeQueue& entries = get(topic, id).entries;
    RMQ_CHECK(entries.load());
    // At once, while its file is open.
    if (!entries.damaged()) {
      RMQ_CHECK(entries.recover(search));
    }
  }
  return {};
}

StoredQueue& ConsumeQueueSet::get(std::string_view topic, QueueId queue_id) {
  if (StoredQueue* known = find(topic, queue_id)) return *known;
  const std::uint64_t hash = queue_hash(topic, queue_id);
  std::unique_lock lock(mutex_);
  if (StoredQueue* known = find_locked(hash, topic, queue_id)) return *known;
  auto it = topics_.find(topic);
  if (it == topics_.end()) it = topics_.emplace(std::string(topic), TopicQueues()).first;
  it->second.push_back(std::make_unique<StoredQueue>(
      std::string(topic), queue_id, cache_, layout_.consume_queue(topic, queue_id), file_bytes_));
  index_.insert(hash, it->second.back().get());
  return *it->second.back();
}

StoredQueue* ConsumeQueueSet::find(std::string_view topic, QueueId queue_id) const {
  const std::uint64_t hash = queue_hash(topic, queue_id);
  std::shared_lock lock(mutex_);
  return find_locked(hash, topic, queue_id);
}

StoredQueue* ConsumeQueueSet::find_locked(std::uint64_t hash, std::string_view topic,
                                          QueueId queue_id) const {
  StoredQueue* const* found = index_.find(hash, [&](const StoredQueue* queue) {
    return queue->queue_id() == queue_id && queue->topic() == topic;
  });
  return found == nullptr ? nullptr : *found;
}

std::vector<StoredQueue*> ConsumeQueueSet::all() const {
  std::vector<StoredQueue*> queues;
  std::shared_lock lock(mutex_);
  std::vector<std::pair<std::string_view, const TopicQueues*>> topics;
  topics.reserve(topics_.size());
  for (const auto& [topic, of_topic] : topics_) topics.emplace_back(topic, &of_topic);
  std::ranges::sort(topics);
  for (const auto& [topic, of_topic] : topics) {
    const auto first = static_cast<std::ptrdiff_t>(queues.size());
    for (const auto& queue : *of_topic) queues.push_back(queue.get());
    std::sort(queues.begin() + first, queues.end(), [](const StoredQueue* a, const StoredQueue* b) {
      return a->queue_id() < b->queue_id();
    });
  }
  return queues;
}

std::vector<StoredQueue*> ConsumeQueueSet::of_topic(std::string_view topic) const {
  std::vector<StoredQueue*> queues;
  std::shared_lock lock(mutex_);
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return queues;
  for (const auto& queue : it->second) queues.push_back(queue.get());
  return queues;
}

Result<std::int64_t> ConsumeQueueSet::count_begun_before(PhysicalOffset at) const {
  std::int64_t count = 0;
  for (const StoredQueue* queue : all()) {
    RMQ_TRY(const bool begun, queue->entries.began_before(at));
    count += begun ? 1 : 0;
  }
  return count;
}

std::int64_t ConsumeQueueSet::hash_of_bounds() const {
  std::string text;
  for (const StoredQueue* queue : all()) {
    const std::int64_t end = queue->entries.end().value;
    if (end == 0) continue;
    text += queue->topic() + "/" + std::to_string(queue->queue_id()) + ": " +
            std::to_string(queue->entries.files_begin().value) + " " + std::to_string(end) + "\n";
  }
  return static_cast<std::int64_t>(XXH3_64bits(text.data(), text.size()));
}

std::int64_t ConsumeQueueSet::sum_of_ends() const {
  std::int64_t sum = 0;
  std::shared_lock lock(mutex_);
  for (const auto& [topic, of_topic] : topics_) {
    for (const auto& queue : of_topic) sum += queue->entries.end().value;
  }
  return sum;
}

void ConsumeQueueSet::mark_dirty(const std::vector<StoredQueue*>& queues) {
  MutexLock lock(dirty_mutex_);
  for (StoredQueue* queue : queues) {
    if (!std::exchange(queue->dirty, true)) dirty_.push_back(queue);
  }
}

Result<> ConsumeQueueSet::write_long_tails() {
  while (!long_tails_.empty()) {
    RMQ_CHECK(long_tails_.back()->entries.write_tail());
    long_tails_.pop_back();
  }
  return {};
}

Result<> ConsumeQueueSet::sync() {
  std::vector<StoredQueue*> dirty;
  {
    MutexLock lock(dirty_mutex_);
    dirty.swap(dirty_);
    for (StoredQueue* queue : dirty) queue->dirty = false;
  }
  std::vector<QueueUnsynced> unsynced;
  unsynced.reserve(dirty.size());
  std::vector<StoredQueue*> added_to;  // since
  for (StoredQueue* queue : dirty) {
    const Result<> written = queue->entries.write_tail();
    if (!written) {
      mark_dirty(dirty);
      return written;
    }
    if (queue->entries.tail_bytes() > 0) added_to.push_back(queue);
  }
  mark_dirty(added_to);
  for (StoredQueue* queue : dirty) unsynced.emplace_back(queue, queue->entries.take_unsynced());
  if (unsynced.size() > kSyncedOneByOneMax) {
    // A commit of the file system's journal for each file would keep the disk busy for long.
    RMQ_CHECK(cache_.files().sync_everything(layout_.consume_queues()));
  } else {
    RMQ_CHECK(sync_one_by_one(unsynced));
  }
  for (const auto& [queue, what] : unsynced) queue->entries.note_synced(what.end);
  return {};
}

Result<> ConsumeQueueSet::sync_one_by_one(std::span<const QueueUnsynced> unsynced) {
  std::set<std::string> directories;
  for (const auto& [queue, what] : unsynced) {
    RMQ_CHECK(queue->entries.sync_files(what));
    directories.insert(what.directories.begin(), what.directories.end());
  }
  for (const std::string& directory : directories) {
    RMQ_CHECK(cache_.files().sync_directory(directory));
  }
  // The first queue makes consumequeue itself.
  if (!directories.empty()) {
    RMQ_CHECK(cache_.files().sync_directory(layout_.root()));
  }
  return {};
}

}  // namespace rmq::storage
