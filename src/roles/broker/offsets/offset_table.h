// OffsetTable: how far each consumer group has come in each queue, and the file
// consumerOffset.json. Format (ConsumerOffsetManager.java):
// {"dataVersion":{...},"groupTopicMap":{group:[topic]},
// "offsetTable":{"topic@group":{queueId:offset}}}, pretty; queue ids are keys without quotes.
// Threads: any, except load(). A pull commits too, so the table is split into shards, each with its
// own lock; a save copies one shard at a time. Crash: commits since the last save (5 s, and at a
// clean stop) are gone: those messages are delivered again. Those made on a slave: LocalCommits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/string_map.h"
#include "base/units.h"
#include "protocol/data_version.h"
#include "roles/broker/metadata_file.h"
#include "roles/broker/offsets/local_commits.h"
#include "roles/broker/offsets/offsets_json.h"

namespace rmq::roles::broker {

class OffsetTable {
 public:
  using QueueOffsets = broker::QueueOffsets;

  // `path` is that of the file, `local_path` that of the commits which a slave keeps for its
  // master; empty: this is never a slave's. All references outlive the table.
  OffsetTable(Clock& clock, FileSystem& files, std::string path, std::string local_path = {});

  // Errors: BrokerErrc::MetadataLost when the file and its backup exist but cannot be read and
  // `store_has_data`. Before any other call, once.
  Result<> load(bool store_has_data);

  // Remembers `offset`, the next message `group` wants of the queue. One smaller than the known one
  // is taken only if it may go back, with a warning that names `peer`. While a reset is pending
  // nothing is taken, as in Java. This and reset() are the only places where an offset changes.
  enum class Direction { Forward, Back };
  enum class Committed { Taken, Smaller, ResetPending };
  Committed commit(std::string_view peer, std::string_view group, std::string_view topic,
                   QueueId queue_id, QueueOffset offset, Direction direction = Direction::Back);
  // An administrator's word: the offset, and pending until take_reset() by the next pull. What is
  // pending is forgotten at a restart; the offset is not.
  void reset(std::string_view group, std::string_view topic, QueueId queue_id, QueueOffset offset);
  // Where the group must go on; once. Costs an atomic load while nothing is pending at all.
  std::optional<QueueOffset> take_reset(std::string_view group, std::string_view topic,
                                        QueueId queue_id);
  bool reset_pending(std::string_view group, std::string_view topic, QueueId queue_id) const;
  std::optional<QueueOffset> find(std::string_view group, std::string_view topic,
                                  QueueId queue_id) const;
  // All queues of one topic. Empty when the group never committed there.
  QueueOffsets find_all(std::string_view group, std::string_view topic) const;
  std::vector<std::string> topics_of(std::string_view group) const;
  std::vector<std::string> groups_of(std::string_view topic) const;

  void erase_topic(std::string_view topic);
  void erase_group(std::string_view group);
  // Cuts every offset past its queue's end back to it, after the log was truncated: otherwise a
  // group would skip what is written there next. Returns how many were cut.
  std::size_t clamp(const std::function<QueueOffset(std::string_view, QueueId)>& end_of);

  // A slave: commits from now on are remembered until the master has them. Else: they are
  // forgotten, this broker is the one that must know.
  void keep_local_commits(bool keep) { local_.keep(keep); }
  struct Commit {
    std::string group;
    std::string topic;
    QueueId queue_id = 0;
    QueueOffset offset;
  };
  // Takes over the master's table, `text` being the body of GET_ALL_CONSUMER_OFFSET. Commits made
  // here that the master does not have yet stay; they are returned. Error:
  // ProtocolErrc::BodyMalformed.
  Result<std::vector<Commit>> follow(std::string_view text);
  // The master has heard of this one: from now on its word counts.
  void given_back(const Commit& commit);

  protocol::DataVersion data_version() const;
  // Changes since the process started.
  std::int64_t changes() const { return changes_.load(std::memory_order_acquire); }
  // The body of GET_ALL_CONSUMER_OFFSET: the file's content without line breaks.
  std::string encode_compact() const;

  // Writes the table if it changed since the last save; waits for the disk, so not on a data
  // thread. Errors: errno.
  Result<> save_if_changed();

 private:
  static constexpr std::size_t kShards = 16;  // a power of two
  struct Shard {
    mutable Mutex mutex;
    StringMap<QueueOffsets> offsets RMQ_GUARDED_BY(mutex);  // by "topic@group"
    StringMap<QueueOffsets> resets RMQ_GUARDED_BY(mutex);   // pending, likewise
  };

  Shard& shard_of(std::string_view key) const;
  GroupOffsets copy() const;
  std::string encode(const json::Style& style) const;
  static Result<GroupOffsets> decode(std::string_view text, protocol::DataVersion& version);
  void load_local_commits();
  bool follow_key(Shard& shard, const std::string& key, QueueOffsets& offsets)
      RMQ_REQUIRES(shard.mutex);
  void erase_if(const std::function<bool(std::string_view topic, std::string_view group)>& doomed);
  void note_change();

  Clock& clock_;
  mutable std::array<Shard, kShards> shards_;
  LocalCommits local_;  // its lock after a shard's
  std::atomic<std::int64_t> changes_{0};
  std::atomic<std::int64_t> resets_pending_{0};  // of queues, in all shards
  mutable Mutex version_mutex_;
  protocol::DataVersion data_version_ RMQ_GUARDED_BY(version_mutex_);

  Mutex save_mutex_;  // one save at a time; taken before the shards'
  MetadataFile file_ RMQ_GUARDED_BY(save_mutex_);
  std::int64_t saved_changes_ RMQ_GUARDED_BY(save_mutex_) = 0;
};

}  // namespace rmq::roles::broker
