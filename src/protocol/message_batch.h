// The body of a batch send: several messages in one request, for one topic and queue.
// Format (RocketMQ MessageDecoder.java#encodeMessage), big-endian, back to back:
//   i32 size of the entry | i32 0 | i32 0 | i32 flag | i32 body length, body | i16 properties
//   length, properties
// The two zeros stand where a record has magic and body CRC; Java reads neither them nor the size.
// Threads: free functions and values over the caller's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace rmq::protocol {

// An entry without body and properties.
inline constexpr std::size_t kBatchEntryBytesMin = 22;

struct BatchEntry {
  std::int32_t flag = 0;
  ByteView body{};
  std::string_view properties{};
};

class BatchReader {
 public:
  explicit BatchReader(ByteView body) : reader_(body) {}
  // The next entry, viewing the body, or nothing at its end. Errors: ProtocolErrc::BodyMalformed;
  // do not go on then.
  Result<std::optional<BatchEntry>> next();

 private:
  BigEndianReader reader_;
};

// Appends one entry. Errors: ProtocolErrc::BodyMalformed, when properties exceed 32767 bytes or the
// entry 2^31 - 1.
Result<> append_batch_entry(const BatchEntry& entry, Bytes& out);

}  // namespace rmq::protocol
