// What a message becomes on the wire: SEND_MESSAGE_V2 (310) for one, SEND_BATCH_MESSAGE (320) for
// several in one request, and what the answer says. Threads: plain values, free functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client/client.h"
#include "client/message.h"
#include "protocol/command.h"

namespace rmq::client {

// All four mean: stored. The last three: but not (yet) as safely as the broker is configured to.
enum class SendStatus { Ok, FlushDiskTimeout, FlushSlaveTimeout, SlaveNotAvailable };
const char* send_status_name(SendStatus status);  // "SEND_OK", as Java calls them

struct SendResult {
  SendStatus status = SendStatus::Ok;
  std::string message_id;  // the unique key, what consumers see as its id; of a batch: all, "a,b"
  std::string offset_message_id;  // where the broker put it; of a batch likewise
  MessageQueue queue;
  QueueOffset offset;  // of a batch's first message
  std::string broker_address;
  int attempts = 1;
};

// A message, or a batch, ready for the wire, whichever queue it goes to.
struct PreparedSend {
  std::string topic;
  std::string message_id;
  std::string properties;
  std::int32_t flag = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  bool batch = false;
  Bytes body;
};

struct SendFormat {
  std::string producer_group;
  std::int32_t new_topic_queues = 4;  // wanted, when the broker creates the topic
  std::size_t compress_from_bytes = 4096;
  std::size_t body_bytes_max = std::size_t{4} * 1024 * 1024;
};

// Errors: ClientErrc::MessageInvalid.
Result<PreparedSend> prepare_send(Client& client, const SendFormat& format, Message message);
// As Java: one topic, not a retry topic; none delayed; all wait for the store, or none.
Result<PreparedSend> prepare_batch(Client& client, const SendFormat& format,
                                   std::vector<Message> messages);

protocol::Command make_send_request(const SendFormat& format, const PreparedSend& send,
                                    const MessageQueue& queue);
// Errors: what the broker refused with; ClientErrc::AnswerMalformed.
Result<SendResult> parse_send_answer(const protocol::Command& answer, const PreparedSend& send,
                                     MessageQueue queue, const std::string& address);

}  // namespace rmq::client
