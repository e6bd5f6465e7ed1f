#include "roles/broker/offsets/offset_search.h"

#include <algorithm>

#include "protocol/message_record.h"

namespace rmq::roles::broker {

Result<storage::ReadResult> read_one_message(const storage::MessageStore& store,
                                             std::string_view topic, QueueId queue_id,
                                             QueueOffset at) {
  storage::ReadRequest one;
  one.topic = topic;
  one.queue_id = queue_id;
  one.from = at;
  one.count_max = 1;
  return store.read(one);
}

std::optional<std::int64_t> store_time(const storage::MessageStore& store, std::string_view topic,
                                       QueueId queue_id, QueueOffset at) {
  const Result<storage::ReadResult> result = read_one_message(store, topic, queue_id, at);
  if (!result || result->status != storage::ReadStatus::Found) return std::nullopt;
  const auto record = protocol::decode_record(result->records.front().bytes);
  if (!record) return std::nullopt;
  return record->store_timestamp_ms;
}

QueueOffset first_stored_after(const storage::MessageStore& store, std::string_view topic,
                               QueueId queue_id, std::int64_t timestamp, bool including) {
  QueueOffset low = store.min_offset(topic, queue_id);
  QueueOffset high = std::max(low, store.visible_end(topic, queue_id));
  while (low < high) {
    const QueueOffset middle = low + (high - low) / 2;
    const auto time = store_time(store, topic, queue_id, middle);
    // What retention took meanwhile was stored before everything that is left.
    const bool after = time && (*time > timestamp || (including && *time == timestamp));
    if (after) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace rmq::roles::broker
