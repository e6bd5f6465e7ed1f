#include "storage/log_cursor.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

using protocol::CheckBody;
using protocol::RecordScan;

constexpr int kMagicFirstByte = 0xDA;  // of both record versions
constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kSearchBytes = 1024 * 1024;

bool is_magic(const std::byte* at) {
  const auto magic = load_big_endian<std::uint32_t>(at);
  return magic == protocol::kMagicV1 || magic == protocol::kMagicV2;
}

// Where the next magic number begins in `bytes` at or behind `from`; their number when none does.
std::size_t find_magic(ByteView bytes, std::size_t from) {
  while (from + kMagicBytes <= bytes.size()) {
    const void* hit = std::memchr(bytes.data() + from, kMagicFirstByte, bytes.size() - from);
    if (hit == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const std::byte*>(hit) - bytes.data());
    if (at + kMagicBytes <= bytes.size() && is_magic(bytes.data() + at)) return at;
    from = at + 1;
  }
  return bytes.size();
}

struct Piece {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Where the segment has data from `from` on, in pieces. All are found before anything is read:
// reading what was never written leaves zeros in the page cache, which count as data then.
Result<std::vector<Piece>> pieces_with_data(File& file, std::int64_t from, std::int64_t end) {
  std::vector<Piece> pieces;
  RMQ_TRY(std::optional<std::int64_t> data, file.next_data(from));
  while (data && *data < end) {
    const std::int64_t piece_end = std::min(end, *data + static_cast<std::int64_t>(kSearchBytes));
    pieces.push_back({*data, piece_end});
    RMQ_TRY(data, file.next_data(piece_end));
  }
  return pieces;
}

// The first record of a segment that begins at or behind `from`.
Result<std::optional<FoundRecord>> find_record_in(const CommitLog& log, Segment& segment,
                                                  PhysicalOffset from) {
  LogWindow searched(log, kSearchBytes);
  LogWindow candidates(log);
  RMQ_TRY(const std::shared_ptr<File> file, segment.file());
  RMQ_TRY(const std::vector<Piece> pieces,
          pieces_with_data(*file, std::max<std::int64_t>(0, from - segment.base()),
                           segment.end() - segment.base()));
  for (const Piece& piece : pieces) {
    // A magic number may begin in the piece before.
    constexpr auto kOverlap = static_cast<std::int64_t>(kMagicBytes) - 1;
    const PhysicalOffset begin = segment.base() + std::max<std::int64_t>(0, piece.begin - kOverlap);
    const auto size = static_cast<std::size_t>(segment.base() + piece.end - begin);
    RMQ_TRY(ByteView bytes, searched.at(begin, size));
    bytes = bytes.first(std::min(bytes.size(), size));
    for (std::size_t at = find_magic(bytes, 0); at < bytes.size(); at = find_magic(bytes, at + 1)) {
      const PhysicalOffset record = begin + static_cast<std::int64_t>(at) -
                                    static_cast<std::int64_t>(protocol::kRecordMagicAt);
      if (record < std::max(from, segment.base())) continue;
      const Result<RecordScan> scan = candidates.record(record, CheckBody::Yes);
      if (scan && scan->kind == RecordScan::Kind::Record) {
        return std::optional(FoundRecord{record, scan->record.store_timestamp_ms});
      }
      if (!scan && scan.error().code.category() == std::generic_category()) {
        return fail(scan.error());  // could not read
      }
    }
  }
  return std::optional<FoundRecord>();
}

}  // namespace

Result<std::optional<protocol::MessageRecord>> LogCursor::next() {
  while (position_ < limit_) {
    RMQ_TRY(const RecordScan scan, window_.record(position_, check_));
    if (scan.kind == RecordScan::Kind::Blank) {
      position_ = window_.segment_end();
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
    RMQ_TRY(const std::optional<FoundRecord> found, find_record_in(log, *segment, from));
    if (found) return found;
  }
  return std::optional<FoundRecord>();
}

}  // namespace rmq::storage
