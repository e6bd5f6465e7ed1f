// The epoch stream between a master and a slave under a controller: plain TCP on the HA port.
// Format (RocketMQ AutoSwitchHAConnection.java, AutoSwitchHAClient.java), big-endian; every frame
// begins with i32 what it is: 1 handshake, 2 transfer.
//   slave to master, handshake, 16 bytes: i32 1 | 4 i16 1: only from the last segment on |
//     6 i16 1: learner | 8 i64 its replica id
//   master to slave, handshake: i32 1 | 4 i32 12 n | 8 i64 where its log ends | 16 i32 its epoch |
//     20 n times (i32 epoch, i64 where it starts), n <= 1000
//   slave to master, report, 12 bytes: i32 2 | 4 i64 where its log ends. The first one asks for the
//     log from there on (0: the master chooses), later ones acknowledge.
//   master to slave, block: i32 2 | 4 i32 size | 8 i64 offset | 16 i32 the epoch of its bytes |
//     20 i64 where that starts | 28 i64 what is confirmed | 36 so many bytes of the log. Size 0 is
//     a heartbeat.
// A block does not reach over the end of an epoch or of a segment; it may begin and end within a
// record. Threads: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "replication/message.h"

namespace rmq::replication {

inline constexpr std::size_t kSlaveHandshakeBytes = 16;
inline constexpr std::size_t kMasterHandshakeBytes = 20;  // without its epochs
inline constexpr std::size_t kReportBytes = 12;
inline constexpr std::size_t kBlockHeadBytes = 36;
inline constexpr std::size_t kHandshakeEpochsMax = 1000;
// The buffer of a slave written in Java: no block with its head is larger.
inline constexpr std::int64_t kBlockBytesMax = 4 * 1024 * 1024 - 36;

std::array<std::byte, kSlaveHandshakeBytes> encode_handshake(const SlaveHandshake& handshake);
// Of a longer history the newest 1000 epochs.
Bytes encode_handshake(const MasterHandshake& handshake);
std::array<std::byte, kReportBytes> encode_report(const Report& report);
std::array<std::byte, kBlockHeadBytes> encode_block_head(const BlockHead& head);

// `frame` has exactly the size of such a frame. Error: FrameMalformed.
Result<SlaveHandshake> decode_slave_handshake(ByteView frame);
Result<Report> decode_report(ByteView frame);

// Takes a master's stream apart, in whatever pieces it arrives; of a block it keeps the head only.
// It does not know which frame should come when: Follower does.
class EpochStreamReader {
 public:
  // Bytes of the block whose head came before; they view what was given to next().
  struct BlockBytes {
    PhysicalOffset offset;
    ByteView bytes;
  };
  using Part = std::variant<MasterHandshake, BlockHead, BlockBytes>;

  // The next part of the stream, taken off the front of `bytes`; nothing when all of them are used
  // up and more must come. Errors, final: FrameMalformed, EpochsOutOfOrder.
  Result<std::optional<Part>> next(ByteView& bytes);

 private:
  bool collect(ByteView& bytes, std::size_t size);
  Result<std::optional<Part>> handshake(ByteView& bytes);
  Result<BlockHead> block_head() const;

  Bytes frame_;            // the beginning of a handshake or a block's head
  PhysicalOffset at_;      // of the block's next byte
  std::int64_t left_ = 0;  // bytes of the block still to come
};

}  // namespace rmq::replication
