#include "storage/index_builder.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "storage/index_keys.h"
#include "storage/log_cursor.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::size_t kKeysPerTurn = 4096;
// How often adding is tried again while the disk is full.
constexpr std::chrono::milliseconds kRoomInterval{200};

}  // namespace

Result<> IndexBuilder::open(PhysicalOffset dispatched) {
  const PhysicalOffset from = index_.position();
  LogCursor first(log_, from, dispatched, protocol::CheckBody::No);
  if (from < dispatched && !first.next()) {
    log::warn("store", "message index is not of this log, built anew", kv("at", from.value));
    RMQ_CHECK(index_.reset(log_.begin()));
  }
  indexed_.advance(IndexedOffset{index_.position().value});
  MutexLock lock(mutex_);
  dispatched_ = dispatched;
  behind_ = index_.position() < dispatched;
  return {};
}

Result<> IndexBuilder::reopen(PhysicalOffset dispatched) {
  segment_.reset();
  mapping_.reset();
  RMQ_CHECK(open(dispatched));
  indexed_.begin_reign(IndexedOffset{index_.position().value});
  return {};
}

void IndexBuilder::start() {
  MutexLock lock(mutex_);
  stopping_ = false;
  if (behind_ && !failed_) thread_ = std::thread([this] { catch_up(); });
}

void IndexBuilder::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stopped_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void IndexBuilder::follow(std::span<const DispatchEntry> entries, PhysicalOffset end) {
  if (failed_) return;
  {
    MutexLock lock(mutex_);
    dispatched_ = end;
    if (behind_) return;
  }
  keys_.clear();
  Result<> done;
  for (const DispatchEntry& entry : entries) {
    if (done) done = collect(entry);
  }
  if (done) done = index_.add(keys_, end);
  if (!done && is_disk_full(done.error())) return fall_behind(done.error());
  if (!done) return give_up(done.error());
  indexed_.advance(IndexedOffset{end.value});
}

// On the dispatcher, which must not wait.
void IndexBuilder::fall_behind(const Error& why) {
  log::warn("store", "message index waits for room on the disk", kv("at", index_.position().value),
            kv("error", why.message()));
  if (thread_.joinable()) thread_.join();  // it had caught up
  MutexLock lock(mutex_);
  behind_ = true;
  thread_ = std::thread([this] { catch_up(); });
}

// False when the store stops.
bool IndexBuilder::wait_for_room() {
  const SteadyTime until = std::chrono::steady_clock::now() + kRoomInterval;
  MutexLock lock(mutex_);
  while (!stopping_ && stopped_.wait_until(mutex_, until)) {
  }
  return !stopping_;
}

Result<> IndexBuilder::collect(const DispatchEntry& entry) {
  if (!segment_ || entry.physical < segment_->base() || entry.physical >= segment_->end()) {
    segment_ = log_.segment_of(entry.physical);
    if (!segment_) return fail(StoreErrc::OffsetOutOfRange, std::to_string(entry.physical.value));
    RMQ_TRY(mapping_, segment_->mapping());
  }
  RMQ_TRY(const protocol::MessageRecord record,
          protocol::decode_record(
              mapping_->bytes().subspan(static_cast<std::size_t>(entry.physical - segment_->base()),
                                        static_cast<std::size_t>(entry.size))));
  append_index_keys(record, keys_);
  return {};
}

void IndexBuilder::catch_up() {
  log::info("store", "message index is built from the log", kv("from", index_.position().value));
  for (;;) {
    PhysicalOffset target;
    {
      MutexLock lock(mutex_);
      behind_ = index_.position() < dispatched_;
      if (!behind_) break;
      target = dispatched_;
    }
    const Result<> done = add_from_log(target);
    // What expired meanwhile is passed over.
    if (!done && index_.position() < log_.begin()) continue;
    if (!done && is_disk_full(done.error())) {
      if (wait_for_room()) continue;
      return;
    }
    if (!done) return give_up(done.error());
    if (stopping_) return;
  }
  log::info("store", "message index is complete", kv("end", index_.position().value));
}

Result<> IndexBuilder::add_from_log(PhysicalOffset limit) {
  LogCursor cursor(log_, std::max(index_.position(), log_.begin()), limit, protocol::CheckBody::No);
  for (bool more = true; more && !stopping_;) {
    keys_.clear();
    std::size_t records = 0;
    while (keys_.size() < kKeysPerTurn && records++ < kKeysPerTurn) {
      RMQ_TRY(const std::optional<protocol::MessageRecord> record, cursor.next());
      more = record.has_value();
      if (!more) break;
      append_index_keys(*record, keys_);
    }
    RMQ_CHECK(index_.add(keys_, cursor.position()));
    indexed_.advance(IndexedOffset{cursor.position().value});
  }
  return {};
}

std::optional<IndexMark> IndexBuilder::sync(MessageIndex::Force force) {
  if (failed_) return std::nullopt;
  Result<IndexMark> mark = index_.sync(force);
  if (mark) return *mark;
  if (mark.error().code != StoreErrc::DiskFull) give_up(mark.error());
  return std::nullopt;
}

void IndexBuilder::give_up(const Error& why) {
  if (failed_.exchange(true)) return;
  log::error("store", "message index ends here: later messages are not found by key",
             kv("at", index_.position().value), kv("error", why.message()));
  indexed_.close(why);
}

}  // namespace rmq::storage
