#include "storage/offline/record_check.h"

#include <algorithm>
#include <cstring>

#include "storage/dispatch_entry.h"

namespace rmq::storage::offline {
namespace {

using protocol::CheckBody;
using protocol::MessageRecord;
using protocol::RecordErrc;

// So many bytes are enough to see how long a record is.
constexpr std::size_t kHeadBytes = 48 + protocol::kHostBytesMax + 8 + protocol::kHostBytesMax + 16;
// A text with so many zero bytes one behind the other has lost a part of a sector.
constexpr std::size_t kZerosMax = 16;
constexpr int kFirstBytes[] = {0xDA, 0xCB};  // of the magics of records and blanks
constexpr std::size_t kSearchBytes = 64 * 1024;

template <class T>
T load(ByteView bytes, std::size_t at) {
  return load_big_endian<T>(bytes.data() + at);
}

// Whether the lengths in the head add up to the size, as far as that can be known without the rest:
// so that a damaged size does not make us read a gigabyte.
bool is_plausible_head(ByteView head, PhysicalOffset at) {
  if (head.size() < kHeadBytes) return true;
  if (load<std::int64_t>(head, protocol::kRecordPhysicalOffsetAt) != at.value) return false;
  const auto flags = load<std::int32_t>(head, protocol::kRecordSysFlagAt);
  std::size_t body_at = protocol::record_store_timestamp_at(flags) + 8;
  body_at += (flags & protocol::kSysFlagStoreHostV6) != 0 ? protocol::kHostBytesMax
                                                          : protocol::kHostBytesMin;
  body_at += 4 + 8;
  const auto size = std::int64_t{load<std::int32_t>(head, protocol::kRecordSizeAt)};
  const auto body = std::int64_t{load<std::int32_t>(head, body_at)};
  const std::int64_t rest = size - static_cast<std::int64_t>(body_at) - 4 - body;
  constexpr auto kRestMax =
      static_cast<std::int64_t>(2 + protocol::kTopicBytesMax + 2 + protocol::kPropertiesBytesMax);
  return body >= 0 && rest >= 3 && rest <= kRestMax;
}

bool has_zeros(std::string_view text) {
  static constexpr char kZeros[kZerosMax] = {};
  return (!text.empty() && text.back() == '\0') ||
         text.find(std::string_view(kZeros, kZerosMax)) != std::string_view::npos;
}

// What is wrong with a record whose lengths add up and whose body is as it was sent.
std::string objection(const MessageRecord& record) {
  if (!is_directory_name(record.topic)) return "the topic is no name of a topic";
  if (has_zeros(record.properties)) return "zeros in the properties";
  if (record.queue_id < 0 && has_queue_entry(record)) return "the number of its queue is negative";
  if (record.queue_offset.value < 0) return "its number in the queue is negative";
  if (record.store_timestamp_ms < 0) return "its store time is negative";
  return "";
}

bool is_blank(ByteView bytes) {
  return bytes.size() >= protocol::kBlankRecordBytes &&
         load<std::uint32_t>(bytes, protocol::kRecordMagicAt) == protocol::kMagicBlank;
}

}  // namespace

RecordVerdict judge_record(ByteView bytes, PhysicalOffset at) {
  RecordVerdict verdict;
  Result<protocol::RecordScan> scan = protocol::scan_record(bytes, at, CheckBody::No);
  if (!scan) {
    const bool empty = scan.error().code == RecordErrc::Unwritten;
    verdict.kind = empty ? RecordVerdict::Kind::Unwritten : RecordVerdict::Kind::Unknown;
    verdict.why = scan.error().message();
    return verdict;
  }
  verdict.size = static_cast<std::int64_t>(scan->size);
  if (scan->kind == protocol::RecordScan::Kind::Blank) {
    verdict.kind = RecordVerdict::Kind::Blank;
    return verdict;
  }
  verdict.record = scan->record;
  verdict.why = objection(verdict.record);
  verdict.names_queue = is_directory_name(verdict.record.topic);
  const bool body = verdict.record.body.empty() ||
                    protocol::body_crc(verdict.record.body) == verdict.record.body_crc;
  if (!body) verdict.why = make_error_code(RecordErrc::ChecksumMismatch).message();
  verdict.kind = verdict.why.empty() ? RecordVerdict::Kind::Sound : RecordVerdict::Kind::Damaged;
  return verdict;
}

Result<RecordVerdict> check_record(LogBytes& log, PhysicalOffset at) {
  const std::int64_t left = log.segment_end(at) - at;
  RMQ_TRY(ByteView bytes, log.view(at, kHeadBytes));
  if (is_blank(bytes)) {
    RecordVerdict verdict;
    verdict.size = load<std::int32_t>(bytes, protocol::kRecordSizeAt);
    verdict.kind = verdict.size == left ? RecordVerdict::Kind::Blank : RecordVerdict::Kind::Unknown;
    if (verdict.size != left) verdict.why = "a blank that does not end with its segment";
    return verdict;
  }
  if (bytes.size() < protocol::kBlankRecordBytes) {
    RecordVerdict verdict;
    verdict.kind = RecordVerdict::Kind::Unwritten;
    return verdict;
  }
  const auto size = load<std::int32_t>(bytes, protocol::kRecordSizeAt);
  const bool more = size > 0 && static_cast<std::size_t>(size) > bytes.size() && size <= left &&
                    is_plausible_head(bytes, at);
  if (more) {
    RMQ_TRY(bytes, log.view(at, static_cast<std::size_t>(size)));
  }
  return judge_record(bytes, at);
}

Result<std::optional<SoundPlace>> find_sound(LogBytes& log, PhysicalOffset from) {
  constexpr auto kMagicAt = static_cast<std::int64_t>(protocol::kRecordMagicAt);
  const PhysicalOffset end = log.segment_end(from);
  // `place` is where a magic may begin.
  for (PhysicalOffset place = from + kMagicAt; place < end;) {
    RMQ_TRY(place, log.next_data(place));
    if (place >= end) break;
    RMQ_TRY(ByteView bytes, log.view(place, 1));
    if (bytes.empty()) break;
    bytes = bytes.first(std::min(bytes.size(), kSearchBytes));
    std::size_t hit = bytes.size();
    for (const int first : kFirstBytes) {
      const void* found = std::memchr(bytes.data(), first, hit);
      if (found == nullptr) continue;
      hit = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
    }
    place += static_cast<std::int64_t>(hit);
    if (hit == bytes.size()) continue;
    const PhysicalOffset at = place - kMagicAt;
    place += 1;
    RMQ_TRY(const RecordVerdict verdict, check_record(log, at));
    if (verdict.kind == RecordVerdict::Kind::Sound) {
      return SoundPlace{at, false, verdict.record.store_timestamp_ms};
    }
    if (verdict.kind == RecordVerdict::Kind::Blank) return SoundPlace{at, true, 0};
  }
  return std::optional<SoundPlace>();
}

}  // namespace rmq::storage::offline
