// What happens to a message when it is delayed, and when it is due.
// Source: HookUtils.transformDelayLevelMessage, ScheduleMessageService.messageTimeUp. The text of
// the delivered message's properties still has DELAY, REAL_TOPIC and REAL_QID, as in Java; they do
// nothing outside SCHEDULE_TOPIC_XXXX.
// Threads: free functions; a record views the strings beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/message_record.h"
#include "roles/broker/delivery/delay_mark.h"
#include "storage/append_batch.h"
#include "storage/delay_levels.h"

namespace rmq::storage {
class MessageStore;
}

namespace rmq::roles::broker {

// DELAY is a level: 0 and less mean no delay. Error: ResponseCode::MessageIllegal when it is no
// number.
Result<std::int64_t> delay_level(std::string_view text);

// Makes `record`, with its real topic and queue, one that waits in SCHEDULE_TOPIC_XXXX for `level`
// > 0, above the highest meaning that. `properties` gets the text that it then views.
void schedule(protocol::MessageRecord& record, std::int64_t level,
              const storage::DelayLevels& levels, std::string& properties);

// Adds `record`, a message with these tags, to a new group of `batch`: for its topic and queue,
// which is `queue` when the caller has looked it up, and scheduled when the topic is
// SCHEDULE_TOPIC_XXXX. Error: RecordErrc::TooLarge; the batch is as it was. A scheduled message
// must leave room for its mark.
Result<> add_to_batch(storage::MessageStore& store, storage::AppendBatch& batch,
                      const protocol::MessageRecord& record, std::string_view tags,
                      storage::Queue* queue = nullptr);

// A message that is due, as it is stored for its consumers.
struct DueRecord {
  std::string properties;
  protocol::MessageRecord record;  // views the waiting one, and `properties`
};
// Errors: ResponseCode::MessageIllegal when `waiting` says no topic and queue to go to.
Result<std::unique_ptr<DueRecord>> due_record(const protocol::MessageRecord& waiting,
                                              const DelayMark& mark);

}  // namespace rmq::roles::broker
