// The stored message: one layout for the commit log, the body of a pull response and the command
// line. Format (RocketMQ MessageExtEncoder.java, MessageDecoder.java), big-endian:
//   0 i32 size of the whole record | 4 i32 magic | 8 i32 body CRC | 12 i32 queue id | 16 i32 flag
//   20 i64 queue offset | 28 i64 physical offset | 36 i32 sysFlag | 40 i64 born time | 48 born
//   host, 8 or 20 bytes then i64 store time | store host, 8 or 20 bytes | i32 reconsume times | i64
//   prepared transaction offset i32 body length, body | topic length (V1: i8, V2: i16), topic | i16
//   properties length, properties
// The widths of the two hosts are independent; sysFlag says them. A blank record closes a segment:
// i32 bytes left, i32 magic, rest arbitrary. Threads: free functions over the caller's memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "protocol/host_address.h"
#include "protocol/record_errc.h"

namespace rmq::protocol {

inline constexpr std::uint32_t kMagicV1 = 0xDAA320A7;
inline constexpr std::uint32_t kMagicV2 = 0xDAA320AB;
inline constexpr std::uint32_t kMagicBlank = 0xCBD43194;

// Bits of sysFlag (MessageSysFlag.java).
inline constexpr std::int32_t kSysFlagCompressed = 0x1;
inline constexpr std::int32_t kSysFlagMultiTags = 0x2;
inline constexpr std::int32_t kSysFlagTransactionMask = 0xC;
inline constexpr std::int32_t kSysFlagTransactionPrepared = 0x4;
inline constexpr std::int32_t kSysFlagTransactionCommit = 0x8;
inline constexpr std::int32_t kSysFlagTransactionRollback = 0xC;
inline constexpr std::int32_t kSysFlagBornHostV6 = 0x10;
inline constexpr std::int32_t kSysFlagStoreHostV6 = 0x20;
inline constexpr std::int32_t kSysFlagNeedUnwrap = 0x40;
inline constexpr std::int32_t kSysFlagInnerBatch = 0x80;
inline constexpr std::int32_t kSysFlagCompressionMask = 0x700;

// Where the fields lie that do not move. What follows the born host depends on its width.
inline constexpr std::size_t kRecordSizeAt = 0;
inline constexpr std::size_t kRecordMagicAt = 4;
inline constexpr std::size_t kRecordBodyCrcAt = 8;
inline constexpr std::size_t kRecordQueueIdAt = 12;
inline constexpr std::size_t kRecordFlagAt = 16;
inline constexpr std::size_t kRecordQueueOffsetAt = 20;
inline constexpr std::size_t kRecordPhysicalOffsetAt = 28;
inline constexpr std::size_t kRecordSysFlagAt = 36;
inline constexpr std::size_t kRecordBornTimestampAt = 40;
inline constexpr std::size_t kRecordBornHostAt = 48;
// The store time begins where the born host, 8 or 20 bytes wide, ends.
constexpr std::size_t record_store_timestamp_at(std::int32_t sys_flag) {
  return kRecordBornHostAt + ((sys_flag & kSysFlagBornHostV6) != 0 ? kHostBytesMax : kHostBytesMin);
}

// The smallest record: V1, both hosts IPv4, nothing in body, topic and properties.
inline constexpr std::size_t kRecordBytesMin = 91;
inline constexpr std::size_t kBlankRecordBytes = 8;
// Beyond it a record needs V2. Java counts UTF-16 units and writes a length byte that reads
// negative when 127 units take more than 127 bytes; counting bytes gives the same choice for every
// record that Java can read back.
inline constexpr std::size_t kTopicBytesMaxV1 = 127;
inline constexpr std::size_t kTopicBytesMax = 32767;
inline constexpr std::size_t kPropertiesBytesMax = 32767;
inline constexpr std::size_t kRecordBytesMax = 0x7FFFFFFF;

struct MessageRecord {
  std::string_view topic{};
  QueueId queue_id = 0;
  std::int32_t flag = 0;  // the producer's own, opaque
  QueueOffset queue_offset{};
  PhysicalOffset physical_offset{};
  // encode_record() takes the two host bits from the hosts and ignores them here.
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  HostAddress born_host{};
  std::int64_t store_timestamp_ms = 0;
  HostAddress store_host{};
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  ByteView body{};  // as the producer sent it, perhaps compressed
  std::string_view properties{};
  // Written behind `properties`, so that a broker adds its own without copying the text; empty
  // after decoding.
  std::string_view more_properties{};
  // Set by decode_record(); encode_record() computes both.
  std::int32_t body_crc = 0;
  std::uint32_t total_bytes = 0;

  std::int32_t transaction_type() const { return sys_flag & kSysFlagTransactionMask; }
};

// CRC-32 (zlib's polynomial) without its top bit, as RocketMQ keeps it.
std::int32_t body_crc(ByteView body);

// The size in bytes that `record` takes. Errors: RecordErrc::TooLarge, when topic, properties or
// the whole exceed what their length fields can say. Ask before encode_record() for whatever a peer
// sent.
Result<std::size_t> record_bytes(const MessageRecord& record);

// Appends `record` to `out` and returns its size: one growth of `out`, no temporary copies. Sizes
// must have passed record_bytes(). On the send path queue offset, physical offset and store time
// stay zero until patch_record().
std::size_t encode_record(const MessageRecord& record, Bytes& out);

// Writes what is known only under the append lock into an encoded record.
void patch_record(MutableByteView record, QueueOffset queue_offset, PhysicalOffset physical_offset,
                  std::int64_t store_timestamp_ms);

std::array<std::byte, kBlankRecordBytes> encode_blank_record(std::int32_t bytes_left);

enum class CheckBody { No, Yes };

// The record at the front of `bytes`, which may hold more behind it: total_bytes says where the
// next one begins. Everything in it views `bytes`. Errors: RecordErrc (never OffsetMismatch); a
// blank record is MagicUnknown.
Result<MessageRecord> decode_record(ByteView bytes, CheckBody check = CheckBody::No);

struct RecordScan {
  enum class Kind { Record, Blank };
  Kind kind = Kind::Record;
  std::size_t size = 0;  // bytes; of a blank record: all that is left of the segment
  MessageRecord record;  // Kind::Record only; views the scanned bytes
};

// What lies at `expected` in the commit log, for recovery and dispatch. `at` reaches to the end of
// the segment, or to the end of what is readable of it. Errors: RecordErrc; Unwritten when the
// first 8 bytes are zero, the usual end of a log; OffsetMismatch when a sound record carries
// another physical offset (Java does not check that).
Result<RecordScan> scan_record(ByteView at, PhysicalOffset expected, CheckBody check);

}  // namespace rmq::protocol
