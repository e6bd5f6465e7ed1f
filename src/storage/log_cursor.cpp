#include "storage/log_cursor.h"

#include <cstring>

#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

using protocol::CheckBody;
using protocol::RecordScan;

constexpr int kMagicFirstByte = 0xDA;  // of both record versions

std::optional<FoundRecord> record_at_magic(ByteView segment, std::size_t magic_at,
                                           PhysicalOffset base) {
  if (magic_at < protocol::kRecordMagicAt) return std::nullopt;
  const std::size_t begin = magic_at - protocol::kRecordMagicAt;
  const PhysicalOffset at = base + static_cast<std::int64_t>(begin);
  const Result<RecordScan> scan = protocol::scan_record(segment.subspan(begin), at, CheckBody::Yes);
  if (!scan || scan->kind != RecordScan::Kind::Record) return std::nullopt;
  return FoundRecord{at, scan->record.store_timestamp_ms};
}

}  // namespace

Result<std::optional<protocol::MessageRecord>> LogCursor::next() {
  while (position_ < limit_) {
    if (!segment_ || position_ >= segment_->end()) {
      segment_ = log_.segment_of(position_);
      if (!segment_) return fail(StoreErrc::OffsetOutOfRange, std::to_string(position_.value));
    }
    RMQ_TRY(const ByteView bytes, segment_->bytes());
    const ByteView rest = bytes.subspan(static_cast<std::size_t>(position_ - segment_->base()));
    RMQ_TRY(const RecordScan scan, protocol::scan_record(rest, position_, check_));
    if (scan.kind == RecordScan::Kind::Blank) {
      position_ = segment_->end();
      continue;
    }
    position_ += static_cast<std::int64_t>(scan.size);
    return std::optional<protocol::MessageRecord>(scan.record);
  }
  return std::optional<protocol::MessageRecord>();
}

Result<std::optional<FoundRecord>> find_record_behind(const CommitLog& log, PhysicalOffset from) {
  for (const std::shared_ptr<Segment>& segment : log.segments()) {
    if (segment->end() <= from) continue;
    RMQ_TRY(const ByteView bytes, segment->bytes());
    const std::int64_t start = std::max<std::int64_t>(0, from - segment->base());
    // Pages never written are left out: touching them would fill the page cache with zeros.
    RMQ_TRY(std::optional<std::int64_t> data, segment->file().next_data(start));
    while (data) {
      const auto at = static_cast<std::size_t>(*data);
      const void* hit = std::memchr(bytes.data() + at, kMagicFirstByte, bytes.size() - at);
      if (hit == nullptr) break;
      const auto magic_at =
          static_cast<std::size_t>(static_cast<const std::byte*>(hit) - bytes.data());
      const auto found = record_at_magic(bytes, magic_at, segment->base());
      if (found && found->at >= from) return found;
      data = static_cast<std::int64_t>(magic_at) + 1;
    }
  }
  return std::optional<FoundRecord>();
}

}  // namespace rmq::storage
