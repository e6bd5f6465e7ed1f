#include "storage/log_follower.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "protocol/message_record.h"
#include "storage/store_errc.h"
#include "storage/stored_queue.h"

namespace rmq::storage {
namespace {

using protocol::RecordScan;

// What is written, and handed to dispatch, together.
constexpr std::size_t kEntriesPerTurn = 4096;

tl::unexpected<Error> malformed(PhysicalOffset at, const std::string& why) {
  return fail(StoreErrc::RecordMalformed,
              "from the master, at " + std::to_string(at.value) + ": " + why);
}

}  // namespace

LogFollower::LogFollower(CommitLog& log, const EntryMaker& maker,
                         Watermark<AppendedOffset>& appended)
    : log_(log),
      maker_(maker),
      appended_(appended),
      resting_(Error{make_error_code(StoreErrc::Stopped), "the store does not follow"}) {}

void LogFollower::start(Hooks hooks) { hooks_ = std::move(hooks); }

void LogFollower::begin_reign(PhysicalOffset end, std::int64_t last_store_timestamp_ms) {
  {
    MutexLock appending(append_mutex_);
    end_ = taken_ = end;
    last_timestamp_ms_ = last_store_timestamp_ms;
    unwiped_end_ = {};
    next_asked_ = false;
  }
  published_timestamp_ms_ = last_store_timestamp_ms;
  MutexLock lock(mutex_);
  resting_.reset();
}

void LogFollower::rest(const Error& why) {
  {
    MutexLock lock(mutex_);
    resting_ = why;
  }
  MutexLock appending(append_mutex_);
  partial_.clear();
}

PhysicalOffset LogFollower::unwiped_end() {
  MutexLock appending(append_mutex_);
  return unwiped_end_;
}

PhysicalOffset LogFollower::resume() {
  MutexLock appending(append_mutex_);
  partial_.clear();
  return end_;
}

void LogFollower::pause(const Error& why) {
  MutexLock lock(mutex_);
  paused_ = why;
}

void LogFollower::unpause() {
  MutexLock lock(mutex_);
  paused_.reset();
}

void LogFollower::refuse(const Error& why) {
  MutexLock lock(mutex_);
  if (!refused_) refused_ = why;
}

void LogFollower::stop() {
  refuse({make_error_code(StoreErrc::Stopped), {}});
  MutexLock appending(append_mutex_);
}

Result<> LogFollower::refusal() {
  MutexLock lock(mutex_);
  if (refused_) return fail(*refused_);
  if (resting_) return fail(*resting_);
  if (paused_) return fail(*paused_);
  return {};
}

Result<> LogFollower::append(PhysicalOffset at, ByteView bytes) {
  MutexLock appending(append_mutex_);
  RMQ_CHECK(refusal());
  const PhysicalOffset expected = end_ + static_cast<std::int64_t>(partial_.size());
  if (at != expected) {
    if (expected.value != 0) {
      return fail(StoreErrc::OffsetOutOfRange, "bytes from " + std::to_string(at.value) +
                                                   " on do not follow " +
                                                   std::to_string(expected.value));
    }
    RMQ_CHECK(begin_at(at));
  }
  Result<> taken = take(bytes);
  // What came before a fault is good.
  if (!write_failure_) (void)write_taken();
  completed_.clear();
  if (!write_failure_) return taken;
  partial_.clear();
  return fail(give_up(*std::exchange(write_failure_, std::nullopt)));
}

// A write has failed: what a caller is told. Space may come again, other errors do not pass.
Error LogFollower::give_up(const Error& why) {
  if (is_disk_full(why)) {
    const Error full{make_error_code(StoreErrc::DiskFull), why.message()};
    pause(full);
    hooks_.on_disk_full(full);
    return full;
  }
  const Error final{make_error_code(StoreErrc::ReadOnly), why.message()};
  refuse(final);
  hooks_.on_error(final);
  return final;
}

// The other log has lost its beginning, and this one has nothing yet.
Result<> LogFollower::begin_at(PhysicalOffset at) {
  if (at.value % log_.segment_bytes() != 0) {
    return fail(StoreErrc::OffsetOutOfRange, "a log can begin with a file of " +
                                                 std::to_string(log_.segment_bytes()) +
                                                 " bytes, not at " + std::to_string(at.value));
  }
  if (const Result<> begun = log_.begin_at(at); !begun) return fail(give_up(begun.error()));
  log::info("store", "the log begins where the master's does", kv("at", at.value));
  end_ = taken_ = at;
  return {};
}

Result<> LogFollower::take(ByteView bytes) {
  if (!partial_.empty()) {
    RMQ_TRY(const std::size_t used, complete_partial(bytes));
    bytes = bytes.subspan(used);
  }
  while (!bytes.empty()) {
    RMQ_TRY(const std::optional<std::size_t> size, record_size(bytes));
    if (!size || *size > bytes.size()) {
      partial_.assign(bytes.begin(), bytes.end());
      return {};
    }
    RMQ_CHECK(take_record(bytes.first(*size)));
    bytes = bytes.subspan(*size);
  }
  return {};
}

// Adds what is missing of the record in partial_, as far as `bytes` have it; so many were used.
Result<std::size_t> LogFollower::complete_partial(ByteView bytes) {
  std::size_t used = 0;
  const auto add_up_to = [&used, bytes](Bytes& partial, std::size_t size) {
    const std::size_t missing = std::min(size - partial.size(), bytes.size() - used);
    const ByteView part = bytes.subspan(used, missing);
    partial.insert(partial.end(), part.begin(), part.end());
    used += missing;
  };
  if (partial_.size() < protocol::kBlankRecordBytes) {
    add_up_to(partial_, protocol::kBlankRecordBytes);
  }
  RMQ_TRY(const std::optional<std::size_t> size, record_size(partial_));
  if (!size) return used;
  add_up_to(partial_, *size);
  if (partial_.size() < *size) return used;
  completed_.swap(partial_);
  partial_.clear();
  RMQ_CHECK(take_record(completed_));
  return used;
}

// The size of the record, or blank, whose first bytes are `head` and which lies at taken_; empty
// when they do not say yet. A size that cannot be is found before memory is kept for it.
Result<std::optional<std::size_t>> LogFollower::record_size(ByteView head) const {
  if (head.size() < protocol::kBlankRecordBytes) return std::optional<std::size_t>();
  const auto size = load_big_endian<std::int32_t>(head.data() + protocol::kRecordSizeAt);
  const auto magic = load_big_endian<std::uint32_t>(head.data() + protocol::kRecordMagicAt);
  const std::int64_t left = log_.segment_bytes() - taken_.value % log_.segment_bytes();
  const bool blank = magic == protocol::kMagicBlank;
  const bool record = magic == protocol::kMagicV1 || magic == protocol::kMagicV2;
  if (!blank && !record) return malformed(taken_, "no record begins there");
  const auto smallest =
      static_cast<std::int32_t>(blank ? protocol::kBlankRecordBytes : protocol::kRecordBytesMin);
  const bool possible = blank ? size == left : size >= smallest && size <= left;
  if (!possible) return malformed(taken_, "its size is " + std::to_string(size));
  return std::optional(static_cast<std::size_t>(size));
}

// `record` stays where it is until it is written.
Result<> LogFollower::take_record(ByteView record) {
  const Result<RecordScan> scan = protocol::scan_record(record, taken_, protocol::CheckBody::Yes);
  if (!scan) return malformed(taken_, scan.error().message());
  if (scan->kind == RecordScan::Kind::Record) {
    if (scan->size != record.size()) return malformed(taken_, "its parts do not fill it");
    RMQ_TRY(const DispatchEntry entry, maker_.make(scan->record));
    entries_.push_back(entry);
    last_timestamp_ms_ = scan->record.store_timestamp_ms;
  }
  if (!parts_.empty() && parts_.back().data() + parts_.back().size() == record.data()) {
    parts_.back() = ByteView(parts_.back().data(), parts_.back().size() + record.size());
  } else {
    parts_.push_back(record);
  }
  taken_ += static_cast<std::int64_t>(record.size());
  const bool segment_full = taken_.value % log_.segment_bytes() == 0;
  return segment_full || entries_.size() >= kEntriesPerTurn ? write_taken() : Result<>();
}

Result<> LogFollower::write_parts() {
  if (end_ == log_.write_segment_end()) {
    RMQ_CHECK(log_.roll());
    next_asked_ = false;
  }
  if (unwiped_end_ > end_) {
    RMQ_CHECK(log_.wipe(end_, unwiped_end_));
    unwiped_end_ = {};
  }
  const Result<> written = log_.write(parts_, end_);
  if (written) return written;
  // Whole records behind the end would pass for records of the log later.
  unwiped_end_ = taken_;
  RMQ_CHECK(log_.wipe(end_, unwiped_end_));
  unwiped_end_ = {};
  return written;
}

Result<> LogFollower::write_taken() {
  if (taken_ == end_) return {};
  Result<> written = write_parts();
  parts_.clear();
  if (!written) {
    entries_.clear();
    taken_ = end_;
    write_failure_ = written.error();
    return written;
  }
  end_ = taken_;
  for (const DispatchEntry& entry : entries_) {
    if (entry.queue != nullptr) entry.queue->next_offset = entry.queue_offset + 1;
  }
  hooks_.hand_over(entries_);
  entries_.clear();
  published_timestamp_ms_.store(last_timestamp_ms_, std::memory_order_release);
  appended_.advance(AppendedOffset{end_.value});
  hooks_.on_appended();
  if (!next_asked_ && log_.write_segment_end() - end_ < log_.segment_bytes() / 2) {
    next_asked_ = true;
    hooks_.on_half_full();
  }
  return {};
}

}  // namespace rmq::storage
