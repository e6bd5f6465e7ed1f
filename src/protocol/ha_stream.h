// The classic replication stream between a master and its slave: plain TCP on the HA port, without
// frames. Format (RocketMQ DefaultHAConnection.java, DefaultHAClient.java), big-endian:
//   slave to master, a report: i64 where its log ends. The first one asks for the log from there
//   on (0: the master chooses); later ones acknowledge.
//   master to slave, a block: i64 offset, i32 size, so many bytes of the log from there on. Size 0
//   is a heartbeat; its offset is that of the byte that comes next.
// A block may begin and end within a record; it does not reach over the end of a segment.
// Threads: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"

namespace rmq::protocol {

inline constexpr std::size_t kHaReportBytes = 8;
inline constexpr std::size_t kHaBlockHeadBytes = 12;
// A slave written in Java cannot take a block that does not fit its buffer of 4 MiB.
inline constexpr std::int64_t kHaBlockBytesMax = 2 * 1024 * 1024;

std::array<std::byte, kHaReportBytes> encode_ha_report(PhysicalOffset end);
PhysicalOffset decode_ha_report(ByteView report);
std::array<std::byte, kHaBlockHeadBytes> encode_ha_block_head(PhysicalOffset at,
                                                              std::int32_t bytes);

// Takes a master's stream apart, in whatever pieces it arrives; of a block it keeps the head only.
class HaBlockReader {
 public:
  // Bytes of the log, at their offset; none for a heartbeat.
  using Take = std::function<Result<>(PhysicalOffset at, ByteView bytes)>;

  explicit HaBlockReader(Take take) : take_(std::move(take)) {}

  // Errors: those of `take`; ProtocolErrc::BodyMalformed for a size or an offset that cannot be.
  Result<> feed(ByteView bytes);

 private:
  Result<> begin_block();

  const Take take_;
  std::array<std::byte, kHaBlockHeadBytes> head_{};
  std::size_t head_have_ = 0;
  PhysicalOffset at_;     // of the block's next byte
  std::size_t left_ = 0;  // bytes of the block still to come
};

}  // namespace rmq::protocol
