#include "storage/log_writer.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "storage/store_errc.h"
#include "storage/stored_queue.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kBlankBytes = static_cast<std::int64_t>(protocol::kBlankRecordBytes);
// One turn: what is written, and may fail, together.
constexpr std::size_t kTurnBytesMax = 4 * 1024 * 1024;
// How long a caller may be kept writing what others left.
constexpr std::chrono::microseconds kCaptiveMax{1000};

// Space may come again; other errors do not pass.
Result<> told_from_others(Result<> outcome) {
  if (outcome || !is_disk_full(outcome.error())) return outcome;
  return fail(StoreErrc::DiskFull, outcome.error().message());
}

std::int64_t group_bytes(const AppendBatch& batch, const AppendBatch::Group& group) {
  if (group.record_count == 0) return 0;
  const auto& first = batch.records()[group.first_record];
  const auto& last = batch.records()[group.first_record + group.record_count - 1];
  return static_cast<std::int64_t>(last.begin) + last.size - first.begin;
}

}  // namespace

LogWriter::LogWriter(CommitLog& log, Watermark<AppendedOffset>& appended, Clock& clock)
    : log_(log),
      appended_(appended),
      clock_(clock),
      resting_(Error{make_error_code(StoreErrc::Stopped), "the store is not started"}) {}

void LogWriter::start(Hooks hooks) { hooks_ = std::move(hooks); }

void LogWriter::begin_reign(PhysicalOffset end, std::int64_t last_store_timestamp_ms,
                            std::int64_t reign) {
  // At rest nobody else has the writer role.
  position_ = end;
  last_timestamp_ms_ = last_store_timestamp_ms;
  published_timestamp_ms_ = last_store_timestamp_ms;
  reign_ = reign;
  unwiped_end_ = {};
  next_asked_ = false;
  MutexLock lock(mutex_);
  resting_.reset();
}

void LogWriter::rest(const Error& why) {
  {
    MutexLock lock(mutex_);
    resting_ = why;
  }
  drain();
}

void LogWriter::stop() {
  {
    MutexLock lock(mutex_);
    if (!refused_) refused_ = Error{make_error_code(StoreErrc::Stopped), {}};
  }
  drain();
}

// Returns when everything accepted is written. Nothing is accepted any more.
void LogWriter::drain() {
  do {
    help();
    MutexLock lock(mutex_);
    while (writing_) idle_.wait(mutex_);
  } while (has_left_over());
}

// Whether something is pending that nobody writes.
bool LogWriter::has_left_over() {
  MutexLock lock(mutex_);
  return !writing_ && (taken_done_ < taken_.size() || !pending_.empty());
}

void LogWriter::fail_all(const Error& why) {
  std::vector<Pending> failed;
  {
    MutexLock lock(mutex_);
    if (!refused_ || refused_->code == StoreErrc::Stopped) refused_ = why;
    failed.swap(pending_);
  }
  for (Pending& pending : failed) pending.outcome = fail(why);
  complete(failed);
}

void LogWriter::pause(const Error& why) {
  MutexLock lock(mutex_);
  paused_ = why;
}

void LogWriter::resume() {
  MutexLock lock(mutex_);
  paused_.reset();
}

Result<> LogWriter::check(const AppendBatch& batch) const {
  for (const AppendBatch::Group& group : batch.groups()) {
    const std::int64_t bytes = group_bytes(batch, group);
    if (bytes + kBlankBytes > log_.segment_bytes()) {
      return fail(StoreErrc::RecordTooLarge, std::to_string(bytes) + " bytes together, a segment " +
                                                 std::to_string(log_.segment_bytes()));
    }
  }
  return {};
}

void LogWriter::append(std::unique_ptr<AppendBatch> batch, AppendDone done) {
  RMQ_ASSERT(!batch->empty());
  Result<> accepted = check(*batch);
  if (accepted) {
    MutexLock lock(mutex_);
    if (refused_) {
      accepted = fail(*refused_);
    } else if (resting_) {
      accepted = fail(*resting_);
    } else if (paused_) {
      accepted = fail(*paused_);
    } else {
      pending_.push_back({std::move(batch), std::move(done), {}});
      if (writing_) return;
      writing_ = true;
    }
  }
  if (!accepted) return done(std::move(accepted), std::move(batch));
  write_pending();
}

void LogWriter::help() {
  {
    MutexLock lock(mutex_);
    // Whoever sees writing_ false here also sees what the last writer took.
    if (writing_ || (taken_done_ == taken_.size() && pending_.empty())) return;
    writing_ = true;
  }
  write_pending();
}

// With the writer role; gives it back.
void LogWriter::write_pending() {
  std::optional<std::chrono::steady_clock::time_point> since;
  for (;;) {
    if (taken_done_ == taken_.size()) {
      taken_.clear();
      taken_done_ = 0;
      MutexLock lock(mutex_);
      taken_.swap(pending_);
      if (taken_.empty()) {
        writing_ = false;
        idle_.notify_all();
        return;
      }
    }
    std::vector<Pending> turn;
    const std::size_t count = turn_size();
    write_turn(std::span(taken_).subspan(taken_done_, count));
    // The completions may take a while: others may write meanwhile.
    std::move(taken_.begin() + static_cast<std::ptrdiff_t>(taken_done_),
              taken_.begin() + static_cast<std::ptrdiff_t>(taken_done_ + count),
              std::back_inserter(turn));
    taken_done_ += count;
    bool leave = false;
    bool left_over = false;
    {
      MutexLock lock(mutex_);
      left_over = taken_done_ < taken_.size() || !pending_.empty();
      if (left_over) {
        const auto now = std::chrono::steady_clock::now();
        if (!since) since = now;
        leave = now - *since > kCaptiveMax;
      } else {
        leave = true;
      }
      if (leave) {
        writing_ = false;
        idle_.notify_all();
      }
    }
    if (leave && left_over) hooks_.on_left_over();
    complete(turn);
    if (leave) return;
  }
}

// How many of the taken batches go into the next turn; at least one.
std::size_t LogWriter::turn_size() const {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (std::size_t i = taken_done_; i < taken_.size(); ++i, ++count) {
    bytes += taken_[i].batch->buffer().size();
    if (count > 0 && bytes > kTurnBytesMax) break;
  }
  return count;
}

void LogWriter::write_turn(std::span<Pending> turn) {
  {
    MutexLock lock(mutex_);
    // What came before the pause may still be written: there may be room for it.
    if (refused_ && refused_->code != StoreErrc::Stopped) {
      for (Pending& pending : turn) pending.outcome = fail(*refused_);
      return;
    }
  }
  const PhysicalOffset begin = position_;
  const std::int64_t now_ms = std::max(clock_.now_ms(), last_timestamp_ms_);
  parts_.clear();
  parts_at_ = position_;
  advanced_.clear();
  entries_.clear();
  rolled_ = false;
  const Result<> written = place_and_write(turn, now_ms);
  if (written) return publish(now_ms);
  const bool undone = undo(begin);
  const bool may_pass = undone && written.error().code == StoreErrc::DiskFull;
  const Error why = may_pass
                        ? written.error()
                        : Error{make_error_code(StoreErrc::ReadOnly), written.error().message()};
  for (Pending& pending : turn) pending.outcome = fail(why);
  if (!may_pass) return give_up(why);
  pause(why);
  hooks_.on_disk_full(why);
}

Result<> LogWriter::place_and_write(std::span<Pending> turn, std::int64_t now_ms) {
  if (unwiped_end_ > position_) {
    RMQ_CHECK(told_from_others(log_.wipe(position_, unwiped_end_)));
    unwiped_end_ = {};
  }
  for (Pending& pending : turn) {
    AppendBatch& batch = *pending.batch;
    for (const AppendBatch::Group& group : batch.groups()) {
      const std::int64_t bytes = group_bytes(batch, group);
      if (bytes == 0) continue;
      if (position_ + (bytes + kBlankBytes) > log_.write_segment_end()) RMQ_CHECK(close_segment());
      place(batch, group, now_ms);
    }
    batch.set_appended(position_, now_ms, reign_);
  }
  return write_parts();
}

void LogWriter::place(AppendBatch& batch, const AppendBatch::Group& group, std::int64_t now_ms) {
  StoredQueue& queue = StoredQueue::of(*group.queue);
  advanced_.push_back({&queue, queue.next_offset});
  std::byte* const buffer = batch.buffer().data();
  const std::size_t group_begin = batch.records()[group.first_record].begin;
  std::size_t expected = group_begin;
  for (std::size_t i = 0; i < group.record_count; ++i) {
    AppendBatch::Record& record = batch.records()[group.first_record + i];
    RMQ_ASSERT(record.begin == expected);  // records lie back to back
    expected += record.size;
    record.physical = position_;
    record.queue_offset = queue.next_offset;
    protocol::patch_record({buffer + record.begin, record.size}, record.queue_offset, position_,
                           now_ms);
    const std::int64_t tag_code =
        record.due_after ? now_ms + record.due_after->count() : record.tag_hash;
    entries_.push_back({&queue, position_, record.queue_offset,
                        static_cast<std::int32_t>(record.size), tag_code, now_ms});
    position_ += record.size;
    queue.next_offset += 1;
  }
  const ByteView bytes(buffer + group_begin, expected - group_begin);
  if (!parts_.empty() && parts_.back().data() + parts_.back().size() == bytes.data()) {
    parts_.back() = ByteView(parts_.back().data(), parts_.back().size() + bytes.size());
  } else {
    parts_.push_back(bytes);
  }
}

// Ends the current segment with a blank record, unless another store has done that before, and goes
// on to the next one.
Result<> LogWriter::close_segment() {
  const PhysicalOffset end = log_.write_segment_end();
  if (position_ < end) {
    blank_ = protocol::encode_blank_record(static_cast<std::int32_t>(end - position_));
    parts_.push_back(blank_);
  }
  RMQ_CHECK(write_parts());
  RMQ_CHECK(told_from_others(log_.roll()));
  rolled_ = true;
  position_ = parts_at_ = end;
  next_asked_ = false;
  return {};
}

Result<> LogWriter::write_parts() {
  if (parts_.empty()) return {};
  RMQ_CHECK(told_from_others(log_.write(parts_, parts_at_)));
  parts_.clear();
  return {};
}

// Takes back everything since `begin`, so that a turn that failed leaves nothing to read. False
// when that failed and will not pass.
bool LogWriter::undo(PhysicalOffset begin) {
  for (auto it = advanced_.rbegin(); it != advanced_.rend(); ++it) {
    it->queue->next_offset = it->before;
  }
  const PhysicalOffset end = position_ + kBlankBytes;
  Result<> wiped = log_.wipe(begin, end);
  if (rolled_) {
    const Result<> gone_back = log_.go_back_to(begin);
    if (wiped) wiped = gone_back;
    next_asked_ = true;  // it is there already
  }
  position_ = begin;
  if (wiped) return true;
  if (is_disk_full(wiped.error())) {
    // Where no write is in place zeros need space too. Nobody reads there until the next turn,
    // which wipes first.
    unwiped_end_ = std::max(unwiped_end_, end);
    return true;
  }
  log::error("store", "bytes of failed appends stay in the log, unacknowledged",
             kv("from", begin.value), kv("error", wiped.error().message()));
  return false;
}

void LogWriter::publish(std::int64_t now_ms) {
  last_timestamp_ms_ = now_ms;
  hooks_.hand_over(entries_);
  published_timestamp_ms_.store(now_ms, std::memory_order_release);
  appended_.advance(AppendedOffset{position_.value});
  hooks_.on_appended();
  if (!next_asked_ && log_.write_segment_end() - position_ < log_.segment_bytes() / 2) {
    next_asked_ = true;
    hooks_.on_half_full();
  }
}

void LogWriter::give_up(const Error& why) {
  fail_all(why);
  hooks_.on_error(why);
}

void LogWriter::complete(std::span<Pending> turn) {
  for (Pending& pending : turn) {
    if (pending.done) pending.done(std::move(pending.outcome), std::move(pending.batch));
  }
}

}  // namespace rmq::storage
