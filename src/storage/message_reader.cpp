#include "storage/message_reader.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "storage/log_cursor.h"
#include "storage/log_window.h"
#include "storage/placeholder.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::size_t kEntriesPerRead = 32;
// So many bytes between two records are read along: that is cheaper than another system call.
constexpr std::int64_t kGapMax = 4096;
// What is read to see how long a record is; most are shorter.
constexpr std::size_t kRecordReadBytes = 4096;
constexpr std::size_t kPullBytesMax = 128 * 1024 * 1024;  // MAX_PULL_MSG_SIZE

// As Java does, only the low half of the tag code counts. Placeholders are for nobody.
bool passes(const protocol::TagFilter* tags, std::int64_t tag_code) {
  if (tag_code == kDamagedTagCode) return false;
  return tags == nullptr || tags->matches(static_cast<std::int32_t>(tag_code));
}

}  // namespace

// Records that lie one behind the other in a segment.
struct MessageReader::Run {
  std::shared_ptr<Segment> segment;
  PhysicalOffset at;
  std::size_t size = 0;

  PhysicalOffset end() const { return at + static_cast<std::int64_t>(size); }
};

// One pull on its way through the queue.
struct MessageReader::Walk {
  const ReadRequest& request;
  ReadResult& result;
  const PhysicalOffset begin;  // of the log
  const PhysicalOffset end;
  PhysicalOffset last_looked_at{};
  // Behind a record that is gone the whole segment is.
  PhysicalOffset skip_until{-1};
  // The segment of the last record.
  std::shared_ptr<Segment> segment{};
  std::vector<Run> runs{};
};

std::int64_t MessageReader::memory_bytes_of(const StoreConfig& config) {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  const std::int64_t page_bytes = ::sysconf(_SC_PAGE_SIZE);
  return pages / 100 * config.access_message_in_memory_max_ratio * page_bytes;
}

Result<ReadResult> MessageReader::read(const StoredQueue* queue, const ReadRequest& request) const {
  ReadResult result;
  if (queue == nullptr) {
    result.status = ReadStatus::NoMatchedLogicQueue;
    return result;
  }
  result.min = queue->entries.begin();
  result.end = queue->entries.end();
  result.next = request.from;
  if (result.end.value == 0) {
    result.status = ReadStatus::NoMessageInQueue;
    result.next = {};
  } else if (request.from < result.min) {
    result.status = ReadStatus::OffsetTooSmall;
    result.next = result.min;
  } else if (request.from == result.end) {
    result.status = ReadStatus::OffsetOverflowOne;
  } else if (request.from > result.end) {
    result.status = ReadStatus::OffsetOverflowBadly;
    result.next = result.end;
  } else {
    result.status = ReadStatus::NoMatchedMessage;
    const PhysicalOffset begin = log_.begin();
    const Result<> collected = collect(*queue, request, result);
    if (!collected) {
      // A segment that has expired meanwhile?
      const bool gone = collected.error().code == std::errc::no_such_file_or_directory;
      if (gone && log_.begin() > begin) return read(queue, request);
      return fail(collected.error());
    }
  }
  return result;
}

Result<> MessageReader::collect(const StoredQueue& queue, const ReadRequest& request,
                                ReadResult& result) const {
  const std::int64_t window = std::max<std::int64_t>(
      config_.max_filter_message_bytes, static_cast<std::int64_t>(request.count_max * kEntryBytes));
  // Entries whose distance in bytes reaches the window are not looked at.
  const std::int64_t entries_max = (window + static_cast<std::int64_t>(kEntryBytes) - 1) /
                                   static_cast<std::int64_t>(kEntryBytes);
  // No further than the queue reached before the log's end is read below: what dispatch adds
  // meanwhile may lie behind that end, and would be taken for gone.
  const QueueOffset stop =
      std::min({queue.entries.next_file(request.from), request.from + entries_max, result.end});
  Walk walk{request, result, log_.begin(), PhysicalOffset{appended_.value().value}};
  std::array<std::byte, kEntriesPerRead * kEntryBytes> bytes;
  for (bool more = true; more && result.next < stop;) {
    const auto wanted =
        std::min<std::size_t>(kEntriesPerRead, static_cast<std::size_t>(stop - result.next));
    const MutableByteView into = MutableByteView(bytes).first(wanted * kEntryBytes);
    const Result<std::size_t> count = queue.entries.read(result.next, into, request.may_wait);
    if (!count) {
      if (result.message_count > 0) break;
      // Retention may just have taken the file. Where it has not, somebody else has: to go on
      // behind it would skip messages that the next start finds again.
      const bool expired = count.error().code == std::errc::no_such_file_or_directory &&
                           result.next < queue.entries.begin();
      if (!expired) return fail(count.error());
      result.status = ReadStatus::OffsetFoundNull;
      result.next = queue.entries.next_file(result.next);
      return {};
    }
    if (*count == 0) break;
    for (std::size_t i = 0; more && i < *count; ++i) {
      more = take_entry(walk, decode_entry(bytes.data() + i * kEntryBytes));
    }
  }
  result.behind_memory = walk.end - walk.last_looked_at > memory_bytes_;
  const PhysicalOffset mapped_from = std::max(mapped_from_, walk.end - config_.hot_log_bytes);
  return add_records(walk.runs, request.may_wait, mapped_from, result);
}

Result<> MessageReader::add_records(const std::vector<Run>& runs, MayWait may_wait,
                                    PhysicalOffset mapped_from, ReadResult& result) const {
  result.records.reserve(runs.size());
  const Segment* mapped = nullptr;
  std::shared_ptr<const Mapping> mapping;  // of `mapped`
  for (auto run = runs.begin(); run != runs.end();) {
    if (run->at >= mapped_from && run->segment.get() != mapped) {
      mapping = run->segment->mapping().value_or(nullptr);
      mapped = mapping ? run->segment.get() : nullptr;
    }
    if (run->at >= mapped_from && mapping) {
      const auto at = static_cast<std::size_t>(run->at - mapped->base());
      result.records.push_back({mapping->bytes().subspan(at, run->size), mapping});
      ++run;
      continue;
    }
    auto last = run;
    auto next = run + 1;
    while (next != runs.end() && next->segment == run->segment && next->at - last->end() <= kGapMax)
      last = next++;
    RMQ_CHECK(copy_records({run, next}, may_wait, result));
    run = next;
  }
  return {};
}

// All of one segment, with one system call.
Result<> MessageReader::copy_records(std::span<const Run> runs, MayWait may_wait,
                                     ReadResult& result) const {
  const PhysicalOffset begin = runs.front().at;
  const auto size = static_cast<std::size_t>(runs.back().end() - begin);
  const auto copy = std::make_shared_for_overwrite<std::byte[]>(size);
  const MutableByteView into(copy.get(), size);
  const std::shared_ptr<Segment>& segment = runs.front().segment;
  RMQ_TRY(const std::shared_ptr<File> file, segment->file());
  const std::int64_t at = begin - segment->base();
  RMQ_TRY(const std::size_t got,
          may_wait == MayWait::Yes ? file->pread(into, at) : file->pread_cached(into, at));
  if (got < size) {
    const auto why = may_wait == MayWait::Yes ? StoreErrc::Corrupt : StoreErrc::NotInMemory;
    return fail(why, "log at " + std::to_string(begin.value));
  }
  for (const Run& run : runs) {
    result.records.push_back(
        {into.subspan(static_cast<std::size_t>(run.at - begin), run.size), copy});
  }
  return {};
}

// False when the pull has enough; then the entry was not looked at.
bool MessageReader::take_entry(Walk& walk, const ConsumeQueueEntry& entry) const {
  ReadResult& result = walk.result;
  const auto size = static_cast<std::size_t>(entry.size);
  const bool in_memory = walk.end - entry.physical <= memory_bytes_;
  if (is_full(walk, size, in_memory)) return false;
  walk.last_looked_at = entry.physical;
  result.next += 1;
  if (entry.physical < walk.skip_until) return true;
  if (!passes(walk.request.tags, entry.tag_code)) return true;
  if (!walk.segment || entry.physical < walk.segment->base() ||
      entry.physical >= walk.segment->end()) {
    walk.segment = log_.segment_of(entry.physical);
  }
  const bool there = walk.segment && entry.physical >= walk.begin &&
                     entry.physical + entry.size <= std::min(walk.end, walk.segment->end());
  if (!there) {
    if (result.message_count == 0) result.status = ReadStatus::MessageWasRemoving;
    const std::int64_t segment_bytes = log_.segment_bytes();
    walk.skip_until = PhysicalOffset{(entry.physical.value / segment_bytes + 1) * segment_bytes};
    return true;
  }
  Run* last = walk.runs.empty() ? nullptr : &walk.runs.back();
  if (last != nullptr && last->end() == entry.physical && last->segment == walk.segment) {
    last->size += size;
  } else {
    walk.runs.push_back({walk.segment, entry.physical, size});
  }
  walk.skip_until = PhysicalOffset{-1};
  result.status = ReadStatus::Found;
  result.bytes += size;
  ++result.message_count;
  return true;
}

bool MessageReader::is_full(const Walk& walk, std::size_t size, bool in_memory) const {
  const ReadResult& result = walk.result;
  if (result.message_count == 0) return false;
  if (result.message_count + 1 > walk.request.count_max) return true;
  const auto bytes_max = static_cast<std::size_t>(in_memory ? config_.max_transfer_bytes_in_memory
                                                            : config_.max_transfer_bytes_on_disk);
  const auto count_max = static_cast<std::size_t>(in_memory ? config_.max_transfer_count_in_memory
                                                            : config_.max_transfer_count_on_disk);
  return result.bytes + size > std::min(bytes_max, kPullBytesMax) ||
         result.message_count >= count_max;
}

Result<RecordSpan> MessageReader::record_at(PhysicalOffset at) const {
  const PhysicalOffset end{appended_.value().value};
  const std::shared_ptr<Segment> segment = log_.segment_of(at);
  if (!segment || at >= end) {
    return fail(StoreErrc::OffsetOutOfRange, std::to_string(at.value));
  }
  const auto window = std::make_shared<LogWindow>(log_, kRecordReadBytes);
  const Result<protocol::RecordScan> scan = window->record(at, protocol::CheckBody::No);
  if (!scan && scan.error().code.category() == std::generic_category()) return fail(scan.error());
  if (!scan || scan->kind != protocol::RecordScan::Kind::Record ||
      at + static_cast<std::int64_t>(scan->size) > end) {
    return fail(StoreErrc::RecordMalformed, std::to_string(at.value));
  }
  RMQ_TRY(const ByteView bytes, window->at(at, scan->size));
  return RecordSpan{bytes.first(scan->size), window};
}

Result<RecordSpan> MessageReader::read_log(PhysicalOffset at, std::size_t max,
                                           MayWait may_wait) const {
  const PhysicalOffset end{appended_.value().value};
  if (at == end) return RecordSpan{};
  Run run{log_.segment_of(at), at, 0};
  if (at > end || !run.segment) {
    return fail(StoreErrc::OffsetOutOfRange, std::to_string(at.value) + "; the log has " +
                                                 std::to_string(log_.begin().value) + " to " +
                                                 std::to_string(end.value));
  }
  const auto left = static_cast<std::size_t>(std::min(end, run.segment->end()) - at);
  run.size = std::min(max, left);
  ReadResult result;
  RMQ_CHECK(
      add_records({run}, may_wait, std::max(mapped_from_, end - config_.hot_log_bytes), result));
  return std::move(result.records.front());
}

Result<> MessageReader::scan(
    PhysicalOffset from, const std::function<void(const protocol::MessageRecord&)>& visit) const {
  const PhysicalOffset end{appended_.value().value};
  LogCursor cursor(log_, std::max(from, log_.begin()), end, protocol::CheckBody::No);
  for (;;) {
    const Result<std::optional<protocol::MessageRecord>> record = cursor.next();
    if (!record) {
      return fail(record.error().code, "log at " + std::to_string(cursor.position().value) + ": " +
                                           record.error().detail);
    }
    if (!*record) return {};
    visit(**record);
  }
}

}  // namespace rmq::storage
