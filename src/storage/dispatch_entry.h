// DispatchEntry: what a record of the commit log means to its consume queue.
// Threads: free functions; an EntryMaker is read-only once made.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "protocol/message_record.h"
#include "storage/delay_levels.h"

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
// message has no entry. A placeholder (placeholder.h) has a tag code of its own.
bool has_queue_entry(const protocol::MessageRecord& record);
std::int64_t tag_code_of(const protocol::MessageRecord& record, const DelayLevels& delays);
// Whether a topic can be the name of a directory.
bool is_directory_name(std::string_view topic);

class EntryMaker {
 public:
  EntryMaker(ConsumeQueueSet& queues, DelayLevels delays)
      : queues_(queues), delays_(std::move(delays)) {}

  // Error: StoreErrc::RecordMalformed when the topic cannot be the name of a directory.
  Result<DispatchEntry> make(const protocol::MessageRecord& record) const;

 private:
  ConsumeQueueSet& queues_;
  const DelayLevels delays_;
};

}  // namespace rmq::storage
