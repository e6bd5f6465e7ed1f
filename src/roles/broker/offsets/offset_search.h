// Where a queue was at a time. Threads: any that may wait for the disk: cold messages are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/message_store.h"

namespace rmq::roles::broker {

Result<storage::ReadResult> read_one_message(const storage::MessageStore& store,
                                             std::string_view topic, QueueId queue_id,
                                             QueueOffset at);

// Milliseconds; nothing when the message is gone or cannot be read.
std::optional<std::int64_t> store_time(const storage::MessageStore& store, std::string_view topic,
                                       QueueId queue_id, QueueOffset at);

// The first offset in [begin, end) whose message was stored after `timestamp` (or at it, with
// `including`); `end` when there is none. Store times never go backwards within a log.
QueueOffset first_stored_after(const storage::MessageStore& store, std::string_view topic,
                               QueueId queue_id, std::int64_t timestamp, bool including);

}  // namespace rmq::roles::broker
