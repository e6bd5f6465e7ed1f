// DispatchEntry: what a record of the commit log means to its consume queue.
// Threads: free functions; a TagCoder is read-only once made.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "protocol/message_record.h"

namespace rmq::storage {

class StoredQueue;
class ConsumeQueueSet;

struct DispatchEntry {
  StoredQueue* queue = nullptr;  // null: the record has no entry in any queue
  PhysicalOffset physical;
  QueueOffset queue_offset;
  std::int32_t size = 0;  // bytes
  std::int64_t tag_code = 0;
  std::int64_t store_timestamp_ms = 0;

  PhysicalOffset end() const { return physical + size; }
};

// Makes entries from records as Java's dispatch does (CommitLog.checkMessageAndReturnSize,
// CommitLogDispatcherBuildConsumeQueue): the tag code is the hash of the tags, or, for a message
// that waits in SCHEDULE_TOPIC_XXXX, the time when it is due; a prepared or rolled back transaction
// message has no entry.
class EntryMaker {
 public:
  // `delay_levels`: StoreConfig::message_delay_level; what cannot be read of it is left out.
  EntryMaker(ConsumeQueueSet& queues, std::string_view delay_levels);

  // Error: StoreErrc::RecordMalformed when the topic cannot be the name of a directory.
  Result<DispatchEntry> make(const protocol::MessageRecord& record) const;

 private:
  std::int64_t tag_code_of(const protocol::MessageRecord& record) const;

  ConsumeQueueSet& queues_;
  std::vector<std::int64_t> delays_ms_;  // of level 1, 2 ...
};

}  // namespace rmq::storage
