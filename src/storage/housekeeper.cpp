#include "storage/housekeeper.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace rmq::storage {
namespace {

// With many queues a round takes long; it may keep the disk busy this part of the time.
constexpr int kShareOfTime = 10;

}  // namespace

void Housekeeper::start(std::chrono::milliseconds interval, Hooks hooks) {
  RMQ_ASSERT(!thread_.joinable());
  hooks_ = std::move(hooks);
  {
    MutexLock lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this, interval] { run(interval); });
}

void Housekeeper::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Housekeeper::want_segment() {
  MutexLock lock(mutex_);
  segment_wanted_ = true;
  changed_.notify_one();
}

void Housekeeper::run(std::chrono::milliseconds interval) {
  using SteadyClock = std::chrono::steady_clock;
  SteadyClock::time_point due = SteadyClock::now() + interval;
  for (;;) {
    bool segment = false;
    {
      MutexLock lock(mutex_);
      while (!segment_wanted_ && !stopping_) {
        if (!changed_.wait_until(mutex_, due)) break;
      }
      if (stopping_) return;
      segment = std::exchange(segment_wanted_, false);
    }
    if (segment) {
      const Result<> made = parts_.log.prepare_next();
      if (!made) log::error("store", "next segment not made", kv("error", made.error().message()));
      parts_.log.unmap_before(parts_.dispatcher.progress().position - parts_.hot_log_bytes);
    }
    const SteadyClock::time_point began = SteadyClock::now();
    if (began < due) continue;
    const Result<> done = round();
    if (!done && is_disk_full(done.error())) {
      hooks_.on_disk_full(done.error());
    } else if (!done) {
      return hooks_.on_error(done.error());
    }
    const SteadyClock::time_point ended = SteadyClock::now();
    due = ended + std::max<SteadyClock::duration>(interval, (ended - began) * kShareOfTime);
  }
}

Result<> Housekeeper::round() {
  if (!synced_) {
    const Dispatcher::Progress progress = parts_.dispatcher.progress();
    if (progress.position <= noted()) {
      // The index may still be catching up, or hold memory that nothing needs any more.
      if (parts_.index == nullptr) return {};
      const std::optional<IndexMark> index = parts_.index->sync(MessageIndex::Force::No);
      if (!index || index == noted_index_) return {};
      synced_ = Synced{progress, index};
    } else {
      RMQ_CHECK(parts_.queues.sync());
      synced_ = Synced{progress, {}};
      if (parts_.index != nullptr) synced_->index = parts_.index->sync(MessageIndex::Force::No);
    }
  }
  // Under async flush dispatch runs ahead of the disk, and the index, which was synced later, ahead
  // of the queues; the next round is soon enough. A note of records that the log then loses would
  // tell the index of those that come in their place.
  PhysicalOffset end = synced_->progress.position;
  if (synced_->index) end = std::max(end, synced_->index->position);
  if (parts_.flushed.value().value < end.value) return {};
  const Result<> written = write(*synced_, false);
  if (!written && is_disk_full(written.error())) {
    // Nothing but the note itself failed: it is written whole next time.
    if (!std::exchange(full_, true)) {
      log::warn("store", "no note of how far the store is on disk, until there is room",
                kv("error", written.error().message()));
    }
    return {};
  }
  RMQ_CHECK(written);
  full_ = false;
  synced_.reset();
  return {};
}

Result<> Housekeeper::note(const Dispatcher::Progress& progress, bool clean) {
  Synced synced{progress, {}};
  if (parts_.index != nullptr) synced.index = parts_.index->sync(MessageIndex::Force::Yes);
  return write(synced, clean);
}

// A crash while the log is cut leaves of the rest what it leaves of it. The index is cut after the
// log: what it has of the rest must not pass for complete later.
Result<> Housekeeper::note_before_cut(const Dispatcher::Progress& progress, PhysicalOffset end) {
  synced_.reset();
  RMQ_TRY(LogMark mark, mark_of(progress));
  mark.flushed = end;
  CheckpointValues& times = mark.checkpoint;
  for (std::int64_t* time :
       {&times.log_timestamp_ms, &times.consume_queue_timestamp_ms, &times.index_timestamp_ms}) {
    *time = std::min(*time, progress.last_store_timestamp_ms);
  }
  return put(mark);
}

// What both kinds of notes say.
Result<LogMark> Housekeeper::mark_of(const Dispatcher::Progress& progress) const {
  LogMark mark;
  mark.dispatched = progress.position;
  mark.last_record = progress.last_record;
  mark.last_record_bytes = progress.last_record_bytes;
  mark.last_store_timestamp_ms = progress.last_store_timestamp_ms;
  if (progress.last_record_bytes > 0) {
    RMQ_TRY(mark.last_record_hash,
            hash_record(parts_.log, progress.last_record, progress.last_record_bytes));
  }
  mark.queue_count = progress.queues;
  mark.queues_hash = progress.sum_of_ends;
  mark.checkpoint = parts_.checkpoint.values();
  return mark;
}

Result<> Housekeeper::write(const Synced& synced, bool clean) {
  const Dispatcher::Progress& progress = synced.progress;
  RMQ_TRY(LogMark mark, mark_of(progress));
  mark.clean = clean;
  mark.flushed = PhysicalOffset{parts_.flushed.value().value};
  if (clean) mark.queues_hash = parts_.queues.hash_of_bounds();
  mark.checkpoint.log_timestamp_ms =
      std::max(mark.checkpoint.log_timestamp_ms, parts_.group_commit.log_timestamp_ms());
  mark.checkpoint.consume_queue_timestamp_ms =
      std::max(mark.checkpoint.consume_queue_timestamp_ms, progress.last_store_timestamp_ms);
  mark.index = synced.index;
  // Java keeps an index file after a crash when it ends before this time.
  if (synced.index && synced.index->file != 0) {
    mark.checkpoint.index_timestamp_ms = synced.index->header.end_timestamp_ms;
  }
  return put(mark);
}

Result<> Housekeeper::put(const LogMark& mark) {
  // In this order: a mark counts beside the checkpoint of the one before it, too.
  RMQ_CHECK(parts_.marks.write(mark));
  if (Result<> written = parts_.checkpoint.write(mark.checkpoint); !written) {
    parts_.marks.forget_last();
    return written;
  }
  noted_index_ = mark.index;
  noted_.store(mark.dispatched.value, std::memory_order_release);
  return {};
}

}  // namespace rmq::storage
