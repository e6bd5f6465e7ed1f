// Identifiers of messages, as text.
//   Offset message id (RocketMQ MessageDecoder.java#createMessageId): upper-case hex of the store
//   host (IP, i32 port) and the i64 physical offset; 32 characters, 56 when the host is IPv6. It
//   says where the message can be asked for. Unique key (MessageClientIDSetter.java): upper-case
//   hex of IP, i16 process id, i32 a number of the process, i32 milliseconds since the local month
//   began, i16 counter; 32 or 56 characters. Servers treat it as opaque; tools derive a time from
//   it.
// Threads: free functions; a UniqKeyGenerator may be used by all threads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "protocol/host_address.h"

namespace rmq::protocol {

inline constexpr std::size_t kMessageIdCharsV4 = 32;
inline constexpr std::size_t kMessageIdCharsV6 = 56;

// An id as text, without allocation.
class MessageIdText {
 public:
  std::string_view view() const { return {chars_.data(), size_}; }

 private:
  friend class HexWriter;
  std::array<char, kMessageIdCharsV6> chars_{};
  std::size_t size_ = 0;
};

struct MessageId {
  HostAddress store_host;
  PhysicalOffset physical_offset;
  friend bool operator==(const MessageId&, const MessageId&) = default;
};

MessageIdText encode_message_id(const MessageId& id);
// Takes hex in either case, as Java does. Errors: ProtocolErrc::FieldMalformed (length, digits).
Result<MessageId> decode_message_id(std::string_view text);

class UniqKeyGenerator {
 public:
  // `ip` has 4 or 16 bytes. `process_number` tells apart what shares IP and process id; Java uses
  // an identity hash.
  UniqKeyGenerator(ByteView ip, std::uint16_t process_id, std::uint32_t process_number);
  // A key never returned before by this object, until the 16-bit counter wraps within one
  // millisecond.
  MessageIdText next(std::int64_t now_ms);

 private:
  std::int64_t month_start_ms(std::int64_t now_ms);

  HostAddress host_;  // the IP; its port is unused
  const std::uint16_t process_id_;
  const std::uint32_t process_number_;
  std::atomic<std::uint16_t> counter_{0};
  // The month that was computed last; next_month_ms_ is written after month_ms_, and read before
  // it.
  std::atomic<std::int64_t> month_ms_{0};
  std::atomic<std::int64_t> next_month_ms_{0};
};

}  // namespace rmq::protocol
