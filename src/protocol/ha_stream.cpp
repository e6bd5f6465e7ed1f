#include "protocol/ha_stream.h"

#include <algorithm>
#include <string>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {

std::array<std::byte, kHaReportBytes> encode_ha_report(PhysicalOffset end) {
  std::array<std::byte, kHaReportBytes> report{};
  store_big_endian(report.data(), end.value);
  return report;
}

PhysicalOffset decode_ha_report(ByteView report) {
  return PhysicalOffset{load_big_endian<std::int64_t>(report.data())};
}

std::array<std::byte, kHaBlockHeadBytes> encode_ha_block_head(PhysicalOffset at,
                                                              std::int32_t bytes) {
  std::array<std::byte, kHaBlockHeadBytes> head{};
  store_big_endian(head.data(), at.value);
  store_big_endian(head.data() + 8, bytes);
  return head;
}

Result<> HaBlockReader::feed(ByteView bytes) {
  while (!bytes.empty()) {
    if (left_ > 0) {
      const std::size_t part = std::min(left_, bytes.size());
      RMQ_CHECK(take_(at_, bytes.first(part)));
      at_ += static_cast<std::int64_t>(part);
      left_ -= part;
      bytes = bytes.subspan(part);
      continue;
    }
    const std::size_t part = std::min(head_.size() - head_have_, bytes.size());
    std::copy_n(bytes.begin(), part, head_.begin() + static_cast<std::ptrdiff_t>(head_have_));
    head_have_ += part;
    bytes = bytes.subspan(part);
    if (head_have_ == head_.size()) RMQ_CHECK(begin_block());
  }
  return {};
}

Result<> HaBlockReader::begin_block() {
  head_have_ = 0;
  at_ = PhysicalOffset{load_big_endian<std::int64_t>(head_.data())};
  const auto size = load_big_endian<std::int32_t>(head_.data() + 8);
  if (at_.value < 0 || size < 0) {
    return fail(ProtocolErrc::BodyMalformed,
                "a block of " + std::to_string(size) + " bytes at " + std::to_string(at_.value));
  }
  left_ = static_cast<std::size_t>(size);
  return left_ == 0 ? take_(at_, {}) : Result<>();
}

}  // namespace rmq::protocol
