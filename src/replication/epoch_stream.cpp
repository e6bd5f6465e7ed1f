#include "replication/epoch_stream.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "replication/replication_errc.h"

namespace rmq::replication {
namespace {

// The number of the state in which RocketMQ sends a frame (HAConnectionState.java).
constexpr std::int32_t kHandshake = 1;
constexpr std::int32_t kTransfer = 2;
constexpr std::size_t kStateBytes = 4;
constexpr std::size_t kEntryBytes = 12;
// The offset of a heartbeat of a master in Java whose log is empty.
constexpr std::int64_t kNowhere = -1;

tl::unexpected<Error> malformed(const std::string& why) {
  return fail(ReplicationErrc::FrameMalformed, why);
}

}  // namespace

std::array<std::byte, kSlaveHandshakeBytes> encode_handshake(const SlaveHandshake& handshake) {
  std::array<std::byte, kSlaveHandshakeBytes> frame{};
  store_big_endian(frame.data(), kHandshake);
  store_big_endian(frame.data() + 4, static_cast<std::int16_t>(handshake.from_last_segment));
  store_big_endian(frame.data() + 6, static_cast<std::int16_t>(handshake.learner));
  store_big_endian(frame.data() + 8, handshake.replica);
  return frame;
}

Bytes encode_handshake(const MasterHandshake& handshake) {
  const std::vector<EpochEntry>& all = handshake.history.entries();
  const std::size_t count = std::min(all.size(), kHandshakeEpochsMax);
  Bytes frame;
  frame.reserve(kMasterHandshakeBytes + count * kEntryBytes);
  BigEndianWriter writer(frame);
  writer.write(kHandshake);
  writer.write(static_cast<std::int32_t>(count * kEntryBytes));
  writer.write(handshake.end.value);
  writer.write(handshake.epoch.value);
  for (auto entry = all.end() - static_cast<std::ptrdiff_t>(count); entry != all.end(); ++entry) {
    writer.write(entry->epoch.value);
    writer.write(entry->start.value);
  }
  return frame;
}

std::array<std::byte, kReportBytes> encode_report(const Report& report) {
  std::array<std::byte, kReportBytes> frame{};
  store_big_endian(frame.data(), kTransfer);
  store_big_endian(frame.data() + 4, report.offset.value);
  return frame;
}

std::array<std::byte, kBlockHeadBytes> encode_block_head(const BlockHead& head) {
  std::array<std::byte, kBlockHeadBytes> frame{};
  store_big_endian(frame.data(), kTransfer);
  store_big_endian(frame.data() + 4, static_cast<std::int32_t>(head.bytes));
  store_big_endian(frame.data() + 8, head.offset.value);
  store_big_endian(frame.data() + 16, head.epoch.value);
  store_big_endian(frame.data() + 20, head.epoch_start.value);
  store_big_endian(frame.data() + 28, head.confirmed.value);
  return frame;
}

Result<SlaveHandshake> decode_slave_handshake(ByteView frame) {
  if (frame.size() != kSlaveHandshakeBytes) {
    return malformed("a handshake of " + std::to_string(frame.size()) + " bytes");
  }
  BigEndianReader reader(frame);
  const auto state = reader.read<std::int32_t>();
  if (state != kHandshake) {
    return malformed("a slave begins with state " + std::to_string(state) + ", not a handshake");
  }
  // What is neither 0 nor 1 says no to RocketMQ, too.
  SlaveHandshake handshake;
  handshake.from_last_segment = reader.read<std::int16_t>() == 1;
  handshake.learner = reader.read<std::int16_t>() == 1;
  handshake.replica = reader.read<std::int64_t>();
  if (handshake.replica < 0) {
    return malformed("replica " + std::to_string(handshake.replica) + " in a handshake");
  }
  return handshake;
}

Result<Report> decode_report(ByteView frame) {
  if (frame.size() != kReportBytes) {
    return malformed("a report of " + std::to_string(frame.size()) + " bytes");
  }
  BigEndianReader reader(frame);
  const auto state = reader.read<std::int32_t>();
  const auto offset = reader.read<std::int64_t>();
  if (state != kTransfer || offset < 0) {
    return malformed("a report with state " + std::to_string(state) + " and offset " +
                     std::to_string(offset));
  }
  return Report{PhysicalOffset{offset}};
}

Result<std::optional<EpochStreamReader::Part>> EpochStreamReader::next(ByteView& bytes) {
  if (left_ > 0 && !bytes.empty()) {
    const std::size_t count = std::min(static_cast<std::size_t>(left_), bytes.size());
    const BlockBytes part{at_, bytes.first(count)};
    bytes = bytes.subspan(count);
    at_ += static_cast<std::int64_t>(count);
    left_ -= static_cast<std::int64_t>(count);
    return std::optional<Part>(part);
  }
  if (!collect(bytes, kStateBytes)) return std::optional<Part>();
  const auto state = load_big_endian<std::int32_t>(frame_.data());
  if (state == kHandshake) return handshake(bytes);
  if (state != kTransfer) return malformed("a master sends state " + std::to_string(state));
  if (!collect(bytes, kBlockHeadBytes)) return std::optional<Part>();
  RMQ_TRY(const BlockHead head, block_head());
  frame_.clear();
  at_ = head.offset;
  left_ = head.bytes;
  return std::optional<Part>(head);
}

// Whether frame_ has at least `size` bytes, after having taken what is missing.
bool EpochStreamReader::collect(ByteView& bytes, std::size_t size) {
  if (frame_.size() >= size) return true;
  const std::size_t count = std::min(size - frame_.size(), bytes.size());
  frame_.insert(frame_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes = bytes.subspan(count);
  return frame_.size() == size;
}

Result<std::optional<EpochStreamReader::Part>> EpochStreamReader::handshake(ByteView& bytes) {
  if (!collect(bytes, kMasterHandshakeBytes)) return std::optional<Part>();
  const auto size = load_big_endian<std::int32_t>(frame_.data() + 4);
  const auto body = static_cast<std::size_t>(std::max(size, 0));
  if (size < 0 || body % kEntryBytes != 0 || body > kHandshakeEpochsMax * kEntryBytes) {
    return malformed("a handshake with " + std::to_string(size) + " bytes of epochs");
  }
  if (!collect(bytes, kMasterHandshakeBytes + body)) return std::optional<Part>();
  BigEndianReader reader(ByteView(frame_).subspan(8));
  MasterHandshake handshake;
  handshake.end.value = reader.read<std::int64_t>();
  handshake.epoch.value = reader.read<std::int32_t>();
  bool negative = handshake.end.value < 0 || handshake.epoch.value < 0;
  std::vector<EpochEntry> entries(body / kEntryBytes);
  for (EpochEntry& entry : entries) {
    entry.epoch.value = reader.read<std::int32_t>();
    entry.start.value = reader.read<std::int64_t>();
    negative = negative || entry.epoch.value < 0 || entry.start.value < 0;
  }
  if (negative) return malformed("a handshake with a negative number");
  RMQ_TRY(handshake.history, EpochHistory::from(entries));
  frame_.clear();
  return std::optional<Part>(std::move(handshake));
}

Result<BlockHead> EpochStreamReader::block_head() const {
  BigEndianReader reader(ByteView(frame_).subspan(kStateBytes));
  BlockHead head;
  head.bytes = reader.read<std::int32_t>();
  head.offset.value = reader.read<std::int64_t>();
  head.epoch.value = reader.read<std::int32_t>();
  head.epoch_start.value = reader.read<std::int64_t>();
  // Of a master in Java it is -1 while nothing is.
  head.confirmed.value = std::max<std::int64_t>(reader.read<std::int64_t>(), 0);
  const std::int64_t lowest = head.bytes == 0 ? kNowhere : 0;
  if (head.bytes < 0 || head.bytes > kBlockBytesMax || head.offset.value < lowest ||
      head.epoch.value < 0 || head.epoch_start.value < 0) {
    return malformed("a block of " + std::to_string(head.bytes) + " bytes at " +
                     std::to_string(head.offset.value) + " in epoch " +
                     std::to_string(head.epoch.value) + " from " +
                     std::to_string(head.epoch_start.value));
  }
  return head;
}

}  // namespace rmq::replication
