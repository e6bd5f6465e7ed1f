// Placeholder: what a repair writes into the commit log in place of a message that is damaged, so
// that the log stays without holes and its queue without missing numbers.
// Format: an ordinary record, which Java can read. Ours is told from a message by the prepared
// transaction offset, a field that clients cannot set and that says nothing in a record without
// transaction. Where there is room it has the property RMQ_DAMAGED too, for people; its body is
// zeros. A filler is a placeholder for no message: it says that it rolls a transaction back, and
// such a record has no place in any queue.
// In a consume queue it has a tag code of its own, by which it is passed over without being read.
// Threads: free functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/units.h"
#include "protocol/message_record.h"

namespace rmq::storage {

inline constexpr std::int64_t kPlaceholderMark = 0x524D'5144'4D47'4544;  // "RMQDMGED"
// Beyond 32 bits, so no hash of a tag; and no address of Java's consumequeue_ext, which is
// negative.
inline constexpr std::int64_t kDamagedTagCode = 0x524D'5144'4D47'0000;
inline constexpr std::string_view kDamagedProperty = "RMQ_DAMAGED";

inline bool is_placeholder(const protocol::MessageRecord& record) {
  return record.prepared_transaction_offset == kPlaceholderMark;
}

struct Placeholder {
  std::string_view topic;
  QueueId queue_id = 0;
  QueueOffset queue_offset;
  PhysicalOffset physical;
  std::int64_t store_timestamp_ms = 0;
  bool filler = false;
};

// The fewest bytes that a placeholder in `topic` takes: no more than any message of it.
std::size_t placeholder_bytes_min(std::string_view topic);

// Exactly `size` bytes, at least placeholder_bytes_min().
Bytes encode_placeholder(const Placeholder& placeholder, std::size_t size);

}  // namespace rmq::storage
