// Messages as an application sees them: what a producer is given and what a consumer gets.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "client/message_queue.h"

namespace rmq::client {

struct Message {
  std::string topic;
  Bytes body;
  std::string tag;
  std::vector<std::string> keys;
  // The application's own; names that RocketMQ gives a meaning to work as they do in Java.
  std::vector<std::pair<std::string, std::string>> properties;
  std::int32_t flag = 0;
  // When it may be consumed: after the time of a level of the broker (1 to 18 by default), after so
  // long, or from that moment on. At most one of them other than 0.
  std::int32_t delay_level = 0;
  std::int64_t delay_ms = 0;
  std::int64_t deliver_at_ms = 0;
  // Whether the answer waits for flush and replication as the broker is configured.
  bool wait_store_ok = true;
};

// The properties text of `message` with `uniq_key` (protocol/properties.h).
// Errors: ClientErrc::MessageInvalid: topic empty, too long or with characters other than
// %|a-zA-Z0-9_-; no body; a property without name or value, or with a separator in it; two kinds of
// delay; more than 32767 bytes of properties.
Result<std::string> encode_message_properties(const Message& message, std::string_view uniq_key);

struct ReceivedMessage {
  MessageQueue queue;
  QueueOffset offset;
  PhysicalOffset physical_offset;
  // What its producer calls it: the unique key when there is one, else the offset message id.
  std::string message_id;
  std::string offset_message_id;
  std::string tag;
  std::vector<std::string> keys;
  std::vector<std::pair<std::string, std::string>> properties;  // all of them, in order
  Bytes body;                                                   // decompressed
  // Why `body` is still as it is stored: it could not be decompressed.
  std::optional<Error> body_error;
  std::int32_t sys_flag = 0;
  std::int32_t flag = 0;
  std::int64_t born_timestamp_ms = 0;
  std::int64_t store_timestamp_ms = 0;
  std::int32_t reconsume_times = 0;
  std::string born_host;   // "1.2.3.4:5678"
  std::string store_host;  // likewise
};

// The records of a pull's body; `broker_name` is the one that was asked.
// Errors: ClientErrc::AnswerMalformed.
Result<std::vector<ReceivedMessage>> decode_messages(ByteView records,
                                                     const std::string& broker_name);

}  // namespace rmq::client
