// QueueReaders: who pulled last from each queue for each consumer group, and where it goes on.
// Tells a commit that goes back on purpose from one that comes late, from a client that has lost
// the queue meanwhile; and tools how far a group has read. In memory only. Threads: any; split into
// shards, as every pull comes here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/mutex.h"
#include "base/string_map.h"
#include "base/units.h"

namespace rmq::roles::broker {

class QueueReaders {
 public:
  struct Reader {
    std::uint64_t connection = 0;
    QueueOffset next;  // the offset that its last pull left it with
  };

  // `connection` pulled.
  void note(std::string_view group, std::string_view topic, QueueId queue_id, Reader reader);
  // A pull that was held before goes on: nothing changes if another has pulled since.
  void advance(std::string_view group, std::string_view topic, QueueId queue_id, Reader reader);
  std::optional<Reader> find(std::string_view group, std::string_view topic,
                             QueueId queue_id) const;

  void erase_topic(std::string_view topic);
  void erase_group(std::string_view group);

 private:
  static constexpr std::size_t kShards = 16;  // a power of two
  struct Shard {
    mutable Mutex mutex;
    StringMap<std::map<QueueId, Reader>> readers RMQ_GUARDED_BY(mutex);  // by "topic@group"
  };

  Shard& shard_of(std::string_view key) const;

  mutable std::array<Shard, kShards> shards_;
};

}  // namespace rmq::roles::broker
