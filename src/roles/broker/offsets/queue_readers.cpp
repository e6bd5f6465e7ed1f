#include "roles/broker/offsets/queue_readers.h"

#include "roles/broker/offsets/topic_at_group.h"

namespace rmq::roles::broker {

QueueReaders::Shard& QueueReaders::shard_of(std::string_view key) const {
  return shards_[StringHash{}(key) % kShards];
}

void QueueReaders::note(std::string_view group, std::string_view topic, QueueId queue_id,
                        Reader reader) {
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  auto queues = shard.readers.find(key);
  if (queues == shard.readers.end()) {
    queues = shard.readers.emplace(std::string(key), std::map<QueueId, Reader>{}).first;
  }
  queues->second[queue_id] = reader;
}

void QueueReaders::advance(std::string_view group, std::string_view topic, QueueId queue_id,
                           Reader reader) {
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto queues = shard.readers.find(key);
  if (queues == shard.readers.end()) return;
  const auto known = queues->second.find(queue_id);
  if (known != queues->second.end() && known->second.connection == reader.connection) {
    known->second = reader;
  }
}

std::optional<QueueReaders::Reader> QueueReaders::find(std::string_view group,
                                                       std::string_view topic,
                                                       QueueId queue_id) const {
  const std::string_view key = topic_at_group(topic, group);
  Shard& shard = shard_of(key);
  MutexLock lock(shard.mutex);
  const auto queues = shard.readers.find(key);
  if (queues == shard.readers.end()) return std::nullopt;
  const auto reader = queues->second.find(queue_id);
  if (reader == queues->second.end()) return std::nullopt;
  return reader->second;
}

void QueueReaders::erase_topic(std::string_view topic) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    std::erase_if(shard.readers, [topic](const auto& entry) {
      const auto key = split_topic_at_group(entry.first);
      return key && key->topic == topic;
    });
  }
}

void QueueReaders::erase_group(std::string_view group) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    std::erase_if(shard.readers, [group](const auto& entry) {
      const auto key = split_topic_at_group(entry.first);
      return key && key->group == group;
    });
  }
}

}  // namespace rmq::roles::broker
