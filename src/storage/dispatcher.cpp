#include "storage/dispatcher.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/file_system.h"
#include "storage/log_cursor.h"

namespace rmq::storage {
namespace {

// Entries put into the queues at once: enough to share one write among the entries of a queue, few
// enough that the first of them is not kept waiting.
constexpr std::size_t kEntriesPerTurn = 4096;
// How often a write is tried again while the disk is full.
constexpr std::chrono::milliseconds kRoomInterval{100};

}  // namespace

void Dispatcher::start(const Progress& from, Hooks hooks) {
  RMQ_ASSERT(!thread_.joinable());
  hooks_ = std::move(hooks);
  position_ = from.position;
  queues_at_start_ = from.queues - builder_.begun();
  sum_of_ends_at_start_ = from.sum_of_ends - builder_.advanced();
  work_.clear();
  cursor_ = 0;
  {
    MutexLock lock(mutex_);
    handed_over_.clear();
    progress_ = from;
    stopping_ = drain_ = woken_ = ended_ = false;
  }
  thread_ = std::thread([this] {
    run();
    MutexLock lock(mutex_);
    ended_ = true;
    rested_.notify_all();
  });
}

void Dispatcher::stop(Drain drain) {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    drain_ = drain == Drain::Yes;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Dispatcher::settle() {
  MutexLock lock(mutex_);
  // What it does now may have begun with an older limit; a rest without another wake has seen this.
  woken_ = true;
  waiting_ = false;
  changed_.notify_one();
  const std::int64_t wanted = rests_ + 1;
  while (rests_ < wanted && !ended_) rested_.wait(mutex_);
}

void Dispatcher::note_rest() {
  ++rests_;
  rested_.notify_all();
}

void Dispatcher::hand_over(std::span<const DispatchEntry> entries) {
  MutexLock lock(mutex_);
  if (handed_over_.size() + entries.size() > hand_over_max_) return;
  handed_over_.insert(handed_over_.end(), entries.begin(), entries.end());
}

void Dispatcher::wake() {
  bool notify = false;
  {
    MutexLock lock(mutex_);
    woken_ = true;
    notify = std::exchange(waiting_, false);
  }
  // Not under the lock, which the woken thread would run into.
  if (notify) changed_.notify_one();
}

Dispatcher::Progress Dispatcher::progress() const {
  MutexLock lock(mutex_);
  return progress_;
}

void Dispatcher::run() {
  for (;;) {
    if (hooks_.help) hooks_.help();
    const PhysicalOffset limit = hooks_.limit();
    const PhysicalOffset before = position_;
    if (position_ < limit) {
      Result<> done = dispatch_up_to(limit);
      if (!done && is_disk_full(done.error())) {
        if (wait_for_room(done.error())) continue;
        return;
      }
      if (!done) {
        hooks_.on_error(done.error());
        return;
      }
      MutexLock lock(mutex_);
      if (stopping_ && !drain_) return;
    }
    // A limit may be inside a record: then nothing was done.
    if (position_ == before && !wait_for_work()) return;
  }
}

// False when there will be none.
bool Dispatcher::wait_for_work() {
  MutexLock lock(mutex_);
  if (!woken_ && stopping_) return false;
  if (!woken_) note_rest();
  waiting_ = true;
  while (!woken_ && !stopping_) changed_.wait(mutex_);
  waiting_ = false;
  woken_ = false;
  return !stopping_ || drain_;
}

// False when the store stops: what is not in the queues is dispatched by recovery.
bool Dispatcher::wait_for_room(const Error& why) {
  if (hooks_.on_disk_full) hooks_.on_disk_full(why);
  const SteadyTime until = std::chrono::steady_clock::now() + kRoomInterval;
  MutexLock lock(mutex_);
  note_rest();
  while (!stopping_ && changed_.wait_until(mutex_, until)) {
  }
  return !stopping_;
}

Result<> Dispatcher::dispatch_up_to(PhysicalOffset limit) {
  // A log that follows another may begin later than it did.
  position_ = std::max(position_, log_.begin());
  while (position_ < limit) {
    while (cursor_ < work_.size() && work_[cursor_].physical < position_) ++cursor_;
    if (cursor_ == work_.size() && !take_handed_over()) return dispatch_from_log(limit);
    if (cursor_ == work_.size() || work_[cursor_].physical < position_) continue;
    const std::span<const DispatchEntry> run = handed_over_run(limit);
    const PhysicalOffset before = position_;
    if (!run.empty()) {
      RMQ_CHECK(apply(run, run.back().end()));
      cursor_ += run.size();
    } else if (work_[cursor_].physical > position_) {
      // Entries were dropped here, or a segment ends.
      RMQ_CHECK(dispatch_from_log(std::min(limit, work_[cursor_].physical)));
    }
    if (position_ == before) return {};  // the next record ends behind the limit
    MutexLock lock(mutex_);
    if (stopping_ && !drain_) return {};
  }
  return {};
}

bool Dispatcher::take_handed_over() {
  work_.clear();
  cursor_ = 0;
  MutexLock lock(mutex_);
  work_.swap(handed_over_);
  return !work_.empty();
}

// Entries that follow position_ and each other without a gap, up to the limit.
std::span<const DispatchEntry> Dispatcher::handed_over_run(PhysicalOffset limit) {
  PhysicalOffset at = position_;
  std::size_t count = 0;
  while (count < kEntriesPerTurn && cursor_ + count < work_.size()) {
    const DispatchEntry& entry = work_[cursor_ + count];
    if (entry.physical != at || entry.end() > limit) break;
    at = entry.end();
    ++count;
  }
  return std::span<const DispatchEntry>(work_).subspan(cursor_, count);
}

// Reads the records that end by `limit`.
Result<> Dispatcher::dispatch_from_log(PhysicalOffset limit) {
  LogCursor cursor(log_, position_, limit, protocol::CheckBody::No);
  for (bool more = true; more;) {
    from_log_.clear();
    PhysicalOffset end = position_;
    while (from_log_.size() < kEntriesPerTurn) {
      Result<std::optional<protocol::MessageRecord>> record = cursor.next();
      if (!record) {
        return fail(record.error().code, "dispatch at " + std::to_string(cursor.position().value) +
                                             ": " + record.error().detail);
      }
      more = record->has_value() && cursor.position() <= limit;
      if (!record->has_value()) end = cursor.position();  // over a blank, too
      if (!more) break;
      RMQ_TRY(const DispatchEntry entry, maker_.make(**record));
      from_log_.push_back(entry);
      end = cursor.position();
    }
    RMQ_CHECK(apply(from_log_, end));
  }
  return {};
}

Result<> Dispatcher::apply(std::span<const DispatchEntry> entries, PhysicalOffset end) {
  added_.clear();
  RMQ_CHECK(builder_.apply(entries, added_));
  position_ = end;
  if (hooks_.on_arrival && !added_.empty()) {
    arrivals_.clear();
    for (const DispatchEntry* entry : added_) {
      arrivals_.push_back({entry->queue, entry->queue_offset, entry->tag_code});
    }
    hooks_.on_arrival(arrivals_);
  }
  if (hooks_.on_dispatched) hooks_.on_dispatched(entries, end);
  {
    MutexLock lock(mutex_);
    progress_.position = end;
    progress_.queues = queues_at_start_ + builder_.begun();
    progress_.sum_of_ends = sum_of_ends_at_start_ + builder_.advanced();
    if (!entries.empty()) {
      progress_.last_record = entries.back().physical;
      progress_.last_record_bytes = entries.back().size;
      progress_.last_store_timestamp_ms = entries.back().store_timestamp_ms;
    }
  }
  dispatched_.advance(DispatchedOffset{end.value});
  return {};
}

}  // namespace rmq::storage
