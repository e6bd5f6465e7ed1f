#include "roles/broker/offsets/offset_table.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "protocol/body_json.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/offsets/topic_at_group.h"

namespace rmq::roles::broker {

OffsetTable::OffsetTable(Clock& clock, FileSystem& files, std::string path, std::string local_path)
    : clock_(clock), local_(files, std::move(local_path)), file_(files, std::move(path)) {}

OffsetTable::Shard& OffsetTable::shard_of(std::string_view key) const {
  return shards_[StringHash{}(key) % kShards];
}

Result<GroupOffsets> OffsetTable::decode(std::string_view text, protocol::DataVersion& version) {
  RMQ_TRY(const json::Value object, protocol::parse_body(text));
  version = protocol::data_version_from(object.find("dataVersion"));
  return offsets_from(object);
}

Result<> OffsetTable::load(bool store_has_data) {
  {
    MutexLock lock(version_mutex_);
    data_version_.timestamp = clock_.now_ms();
  }
  MutexLock saving(save_mutex_);
  const Result<bool> loaded = file_.load([&](std::string_view text) -> Result<> {
    protocol::DataVersion version;
    RMQ_TRY(auto offsets, decode(text, version));
    for (auto& [key, queues] : offsets) {
      Shard& shard = shard_of(key);
      MutexLock lock(shard.mutex);
      shard.offsets.insert_or_assign(key, std::move(queues));
    }
    MutexLock lock(version_mutex_);
    data_version_ = version;
    return {};
  });
  if (!loaded) {
    const std::string why = loaded.error().message();
    if (store_has_data) {
      return fail(BrokerErrc::MetadataLost,
                  file_.path() + ": " + why +
                      ", but the store has messages. Restore the file, or write {} into it to let "
                      "every group start anew");
    }
    log::warn("offsets", "unreadable file of an empty store is replaced", kv("file", file_.path()),
              kv("why", why));
  } else if (!*loaded && store_has_data) {
    log::warn("offsets", "no offsets file: every group starts anew", kv("file", file_.path()));
  }
  load_local_commits();
  return {};
}

// They are saved first, and may be further than the table.
void OffsetTable::load_local_commits() {
  local_.load();
  for (const auto& [key, queues] : local_.all()) {
    Shard& shard = shard_of(key);
    MutexLock lock(shard.mutex);
    QueueOffsets& known = shard.offsets[key];
    for (const auto& [queue_id, offset] : queues) {
      known[queue_id] = std::max(known[queue_id], offset);
    }
  }
}

OffsetTable::Committed OffsetTable::commit(std::string_view peer, std::string_view group,
                                           std::string_view topic, QueueId queue_id,
                                           QueueOffset offset, Direction direction) {
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  std::optional<QueueOffset> before;
  {
    MutexLock lock(shard.mutex);
    if (resets_pending_.load(std::memory_order_relaxed) > 0) {
      const auto resets = shard.resets.find(key);
      if (resets != shard.resets.end() && resets->second.contains(queue_id)) {
        return Committed::ResetPending;
      }
    }
    auto queues = shard.offsets.find(key);
    if (queues == shard.offsets.end()) {
      queues = shard.offsets.emplace(std::string(key), QueueOffsets{}).first;
    }
    const auto [it, is_new] = queues->second.try_emplace(queue_id, offset);
    if (!is_new) {
      before = it->second;
      if (offset < *before && direction == Direction::Forward) return Committed::Smaller;
      it->second = offset;
    }
    if (local_.kept()) local_.note(key, queue_id, offset);
  }
  if (before && offset < *before) {
    log::warn("offsets", "a commit goes back", kv("peer", peer), kv("group", group),
              kv("topic", topic), kv("queue", queue_id), kv("from", before->value),
              kv("to", offset.value));
  }
  if (before != offset) note_change();
  return Committed::Taken;
}

void OffsetTable::reset(std::string_view group, std::string_view topic, QueueId queue_id,
                        QueueOffset offset) {
  const std::string key(topic_at_group(topic, group));
  Shard& shard = shard_of(key);
  {
    MutexLock lock(shard.mutex);
    shard.offsets[key][queue_id] = offset;
    const bool is_new = shard.resets[key].insert_or_assign(queue_id, offset).second;
    if (is_new) resets_pending_.fetch_add(1, std::memory_order_relaxed);
  }
  note_change();
}

std::optional<QueueOffset> OffsetTable::take_reset(std::string_view group, std::string_view topic,
                                                   QueueId queue_id) {
  if (resets_pending_.load(std::memory_order_relaxed) == 0) return std::nullopt;
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto queues = shard.resets.find(key);
  if (queues == shard.resets.end()) return std::nullopt;
  const auto pending = queues->second.find(queue_id);
  if (pending == queues->second.end()) return std::nullopt;
  const QueueOffset offset = pending->second;
  queues->second.erase(pending);
  if (queues->second.empty()) shard.resets.erase(queues);
  resets_pending_.fetch_sub(1, std::memory_order_relaxed);
  return offset;
}

bool OffsetTable::reset_pending(std::string_view group, std::string_view topic,
                                QueueId queue_id) const {
  if (resets_pending_.load(std::memory_order_relaxed) == 0) return false;
  const std::string_view key = topic_at_group(topic, group);
  const Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto queues = shard.resets.find(key);
  return queues != shard.resets.end() && queues->second.contains(queue_id);
}

std::optional<QueueOffset> OffsetTable::find(std::string_view group, std::string_view topic,
                                             QueueId queue_id) const {
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto queues = shard.offsets.find(key);
  if (queues == shard.offsets.end()) return std::nullopt;
  const auto offset = queues->second.find(queue_id);
  if (offset == queues->second.end()) return std::nullopt;
  return offset->second;
}

OffsetTable::QueueOffsets OffsetTable::find_all(std::string_view group,
                                                std::string_view topic) const {
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto queues = shard.offsets.find(key);
  return queues == shard.offsets.end() ? QueueOffsets{} : queues->second;
}

std::vector<std::string> OffsetTable::topics_of(std::string_view group) const {
  std::set<std::string> topics;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (const auto& [key, queues] : shard.offsets) {
      if (const auto pair = split_topic_at_group(key); pair && pair->group == group)
        topics.emplace(pair->topic);
    }
  }
  return {topics.begin(), topics.end()};
}

std::vector<std::string> OffsetTable::groups_of(std::string_view topic) const {
  std::set<std::string> groups;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (const auto& [key, queues] : shard.offsets) {
      if (const auto pair = split_topic_at_group(key); pair && pair->topic == topic)
        groups.emplace(pair->group);
    }
  }
  return {groups.begin(), groups.end()};
}

void OffsetTable::erase_if(
    const std::function<bool(std::string_view topic, std::string_view group)>& doomed) {
  std::size_t erased = 0;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    const auto is_doomed = [&](const auto& entry) {
      const auto pair = split_topic_at_group(entry.first);
      return pair && doomed(pair->topic, pair->group);
    };
    erased += std::erase_if(shard.offsets, is_doomed);
    for (auto it = shard.resets.begin(); it != shard.resets.end();) {
      if (!is_doomed(*it)) {
        ++it;
        continue;
      }
      resets_pending_.fetch_sub(static_cast<std::int64_t>(it->second.size()),
                                std::memory_order_relaxed);
      it = shard.resets.erase(it);
    }
  }
  if (erased > 0) note_change();
}

void OffsetTable::erase_topic(std::string_view topic) {
  erase_if([topic](std::string_view of, std::string_view) { return of == topic; });
}

void OffsetTable::erase_group(std::string_view group) {
  erase_if([group](std::string_view, std::string_view of) { return of == group; });
}

std::size_t OffsetTable::clamp(
    const std::function<QueueOffset(std::string_view, QueueId)>& end_of) {
  std::size_t cut = 0;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (auto& [key, queues] : shard.offsets) {
      const auto pair = split_topic_at_group(key);
      if (!pair) continue;
      for (auto& [queue_id, offset] : queues) {
        const QueueOffset end = end_of(pair->topic, queue_id);
        if (offset <= end) continue;
        log::warn("offsets", "offset beyond the end of its queue is cut", kv("group", pair->group),
                  kv("topic", pair->topic), kv("queue", queue_id), kv("from", offset.value),
                  kv("to", end.value));
        offset = end;
        ++cut;
      }
    }
  }
  if (cut > 0) note_change();
  return cut;
}

// Leaves in `offsets`, which are the master's, what is further here; what it has stops to be
// local. Whether anything has changed.
bool OffsetTable::follow_key(Shard& shard, const std::string& key, QueueOffsets& offsets) {
  local_.merge_into(key, offsets);
  QueueOffsets& here = shard.offsets[key];
  if (here == offsets) return false;
  here = offsets;
  return true;
}

Result<std::vector<OffsetTable::Commit>> OffsetTable::follow(std::string_view text) {
  protocol::DataVersion version;
  RMQ_TRY(auto masters, decode(text, version));
  std::vector<Commit> commits;
  bool changed = false;
  for (auto& [key, offsets] : masters) {
    Shard& shard = shard_of(key);
    MutexLock lock(shard.mutex);
    changed = follow_key(shard, key, offsets) || changed;
  }
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    // Deleted there; what was only committed here is not.
    for (auto it = shard.offsets.begin(); it != shard.offsets.end();) {
      const bool gone = !masters.contains(it->first) && !local_.contains(it->first);
      changed = changed || gone;
      it = gone ? shard.offsets.erase(it) : std::next(it);
    }
  }
  for (const auto& [key, queues] : local_.all()) {
    const auto pair = split_topic_at_group(key);
    if (!pair) continue;
    for (const auto& [queue_id, offset] : queues) {
      commits.push_back({std::string(pair->group), std::string(pair->topic), queue_id, offset});
    }
  }
  if (changed) note_change();
  return commits;
}

void OffsetTable::given_back(const Commit& commit) {
  local_.forget(topic_at_group(commit.topic, commit.group), commit.queue_id, commit.offset);
}

void OffsetTable::note_change() { changes_.fetch_add(1, std::memory_order_release); }

protocol::DataVersion OffsetTable::data_version() const {
  MutexLock lock(version_mutex_);
  return data_version_;
}

GroupOffsets OffsetTable::copy() const {
  GroupOffsets all;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    all.insert(shard.offsets.begin(), shard.offsets.end());
  }
  return all;
}

std::string OffsetTable::encode(const json::Style& style) const {
  const GroupOffsets offsets = copy();
  std::map<std::string, std::set<std::string>> topics_by_group;
  for (const auto& [key, queues] : offsets) {
    if (const auto pair = split_topic_at_group(key)) {
      topics_by_group[std::string(pair->group)].emplace(pair->topic);
    }
  }
  json::Value groups = json::Value::object();
  for (const auto& [group, topics] : topics_by_group) {
    json::Value list = json::Value::array();
    for (const std::string& topic : topics) list.push_back(topic);
    groups.set(group, std::move(list));
  }
  json::Value object = json::Value::object();
  object.set("dataVersion", to_json(data_version()));
  object.set("groupTopicMap", std::move(groups));
  object.set("offsetTable", to_json(offsets));
  return json::write(object, style);
}

std::string OffsetTable::encode_compact() const { return encode({}); }

Result<> OffsetTable::save_if_changed() {
  MutexLock saving(save_mutex_);
  RMQ_CHECK(local_.save_if_changed());
  // Read before the table is copied: a commit during the copy may or may not be in it and is saved
  // again next time.
  const std::int64_t changes = changes_.load(std::memory_order_acquire);
  if (changes == saved_changes_) return {};
  {
    MutexLock lock(version_mutex_);
    data_version_.next(clock_.now_ms());
  }
  RMQ_CHECK(file_.save(encode(json::kPrettySets)));
  saved_changes_ = changes;
  return {};
}

}  // namespace rmq::roles::broker
