// FrameTemplate: a request to send, encoded once, of which only what differs from request to
// request is written again: topic, queue, opaque, born time, unique keys, and the time in the body.
// One serves all queues of a broker whose topics and numbers are equally long, so that a load on
// very many queues does not fill the caches that client and server of one machine have in common.
// Threads: a value; append_to() may be called by any number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/message_queue.h"
#include "protocol/command.h"

namespace rmq::load {

struct SendShape {
  std::string group = "rmq-bench";
  std::size_t body_bytes = 128;
  std::int32_t batch = 1;  // messages in one request
  std::string tag;
  protocol::SerializeType type = protocol::SerializeType::Json;
};

// The body of a message begins with the time at which it was meant to be sent, as 16 hexadecimal
// digits: nanoseconds of the steady clock of this machine.
inline constexpr std::size_t kStampBytes = 16;
// Nothing when `body` does not begin so.
std::optional<SteadyTime> read_stamp(ByteView body);

class FrameTemplate {
 public:
  // The smallest opaque that append_to() takes; all have ten digits.
  static constexpr std::int32_t kOpaqueBase = 1'000'000'000;

  // `key_prefix` has 16 hexadecimal digits: the first half of all unique keys. Errors:
  // ProtocolErrc::FrameTooLarge.
  static Result<FrameTemplate> make(const SendShape& shape, const client::MessageQueue& queue,
                                    const std::string& key_prefix);

  bool fits(const client::MessageQueue& queue) const;
  // To a queue that fits; `number` of the first message, others of the batch have the next ones.
  void append_to(Bytes& out, const client::MessageQueue& queue, std::int32_t opaque,
                 std::int64_t born_ms, SteadyTime stamp, std::uint64_t number) const;

 private:
  std::string broker_name_;
  std::size_t topic_bytes_ = 0;
  std::size_t queue_digits_ = 0;
  Bytes frame_;
  std::size_t topic_at_ = 0;
  std::size_t queue_at_ = 0;
  std::size_t opaque_at_ = 0;
  std::size_t born_at_ = 0;
  std::vector<std::size_t> keys_at_;    // second halves of unique keys, in the order of messages
  std::vector<std::size_t> stamps_at_;  // bodies that have room for one
  protocol::SerializeType type_ = protocol::SerializeType::Json;
};

}  // namespace rmq::load
