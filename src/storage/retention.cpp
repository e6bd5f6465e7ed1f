#include "storage/retention.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <utility>

#include "base/log.h"
#include "protocol/message_record.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

// How soon the disk is looked at again while it is full.
constexpr std::chrono::milliseconds kFullInterval{200};
// After a write that found no room where there should be some, as with a quota, twice as long each
// time that it happens again so soon.
constexpr std::chrono::milliseconds kFullPauseMax{1000};
constexpr std::chrono::seconds kSoon{2};
// Less than this is not room: queues and index want some too.
constexpr std::int64_t kRoomBytes = 4 * 1024 * 1024;

int hour_of_day(std::int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local.tm_hour;
}

// The store time of the record that the segment begins with; nothing when it has none.
Result<std::optional<std::int64_t>> first_store_time(Segment& segment) {
  std::array<std::byte, protocol::kRecordBytesMin> bytes{};
  RMQ_TRY(const std::shared_ptr<File> file, segment.file());
  RMQ_TRY(const std::size_t got, file->pread(bytes, 0));
  const auto magic = load_big_endian<std::uint32_t>(bytes.data() + protocol::kRecordMagicAt);
  const bool record = magic == protocol::kMagicV1 || magic == protocol::kMagicV2;
  if (got < bytes.size() || !record) return std::optional<std::int64_t>();
  const auto sys_flag = load_big_endian<std::int32_t>(bytes.data() + protocol::kRecordSysFlagAt);
  return load_big_endian<std::int64_t>(bytes.data() +
                                       protocol::record_store_timestamp_at(sys_flag));
}

std::string percent(double share) { return std::to_string(static_cast<int>(share * 100)) + " %"; }

}  // namespace

void Retention::start(Hooks hooks) {
  RMQ_ASSERT(!thread_.joinable());
  hooks_ = std::move(hooks);
  followed_ = parts_.log.begin();
  {
    MutexLock lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void Retention::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Retention::delete_expired() {
  MutexLock lock(mutex_);
  asked_ = true;
  changed_.notify_one();
}

void Retention::disk_was_full() {
  MutexLock lock(mutex_);
  was_full_ = true;
  changed_.notify_one();
}

void Retention::run() {
  bool asked = false;
  for (;;) {
    const bool again = round(asked) && asked;
    const auto interval = full_ ? std::min(kFullInterval, parts_.config.clean_resource_interval)
                                : parts_.config.clean_resource_interval;
    const SteadyTime due = std::chrono::steady_clock::now() + interval;
    MutexLock lock(mutex_);
    while (!asked_ && !was_full_ && !stopping_) {
      if (!changed_.wait_until(mutex_, due)) break;
    }
    if (stopping_) return;
    asked = std::exchange(asked_, false) || again;
    if (std::exchange(was_full_, false)) note_full_write();
  }
}

void Retention::note_full_write() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (!std::exchange(full_, true)) {
    log::error("store", "a write found no room: messages are refused until there is some");
  }
  full_pause_ =
      now < let_write_at_ + kSoon ? std::min(2 * full_pause_, kFullPauseMax) : kFullInterval;
  full_until_ = now + full_pause_;
}

// What the disk is like now, and what that means.
Result<RetentionRule> Retention::look(bool asked) {
  RMQ_TRY(const DiskSpace log, roomiest_log());
  RMQ_TRY(const DiskSpace root, parts_.files.space(parts_.root));
  const int hour = hour_of_day(parts_.clock.now_ms());
  const RetentionRule for_log = retention_rule(parts_.config, log, hour, asked);
  const RetentionRule for_root = retention_rule(parts_.config, root, hour, asked);
  space_ = for_root.refuse_writes && !for_log.refuse_writes ? root : log;
  return for_log | for_root;
}

// And tells the log which of its directories are full.
Result<DiskSpace> Retention::roomiest_log() {
  std::optional<DiskSpace> roomiest;
  std::vector<std::string> full;
  for (const std::string& directory : parts_.log.directories().writable()) {
    RMQ_TRY(const DiskSpace space, parts_.files.space(directory));
    if (is_full_for_segments(parts_.config, space)) full.push_back(directory);
    if (!roomiest || space.used_share() < roomiest->used_share()) roomiest = space;
  }
  parts_.log.directories().set_full(full);
  return *roomiest;
}

bool Retention::round(bool asked) {
  Result<RetentionRule> rule = look(asked);
  if (!rule) return note_failure("disk space not known", rule.error());
  bool done = true;
  if (full_ && parts_.config.clean_file_forcibly_enable) rule->delete_oldest = true;
  if (rule->delete_expired || rule->delete_oldest) {
    done = delete_files(*rule, asked);
    rule = look(asked);
    if (!rule) return note_failure("disk space not known", rule.error());
  }
  follow_log();
  let_write(*rule);
  return !done;
}

// Holds none of the files itself: the disk is looked at again when one is gone.
Result<Retention::Oldest> Retention::look_at_oldest() const {
  const auto segments = parts_.log.segments();
  if (segments.size() < 2) return Oldest{};
  RMQ_TRY(const std::optional<std::int64_t> next, first_store_time(*segments[1]));
  const auto kept = std::chrono::milliseconds(parts_.config.file_reserved_time).count();
  return Oldest{segments.front()->path(), segments.front()->end(),
                next && *next + kept < parts_.clock.now_ms()};
}

bool Retention::delete_files(RetentionRule rule, bool asked) {
  for (int count = 0; count < parts_.config.delete_file_batch_max; ++count) {
    const Result<Oldest> oldest = look_at_oldest();
    if (!oldest) return note_failure("age of a commit log file not known", oldest.error());
    if (oldest->path.empty()) return true;
    if (!(oldest->expired && rule.delete_expired) && !rule.delete_oldest) return true;
    if (oldest->end >= hooks_.limit()) return false;
    const Result<> dropped = parts_.log.drop_first();
    if (!dropped) note_failure("commit log file not removed", dropped.error());
    if (oldest->expired) {
      log::info("store", "expired commit log file deleted", kv("file", oldest->path));
    } else {
      log::warn("store", "commit log file deleted to make room, consumed or not",
                kv("file", oldest->path), kv("disk_used", percent(space_.used_share())),
                kv("free_bytes", space_.available_bytes));
    }
    const Result<RetentionRule> next = look(asked);
    if (!next) return note_failure("disk space not known", next.error());
    rule = *next;
  }
  return false;
}

// Queues and index lose what the log has no more.
void Retention::follow_log() {
  const PhysicalOffset begin = parts_.log.begin();
  if (begin <= followed_) return;
  bool all = true;
  for (StoredQueue* queue : parts_.queues.all()) {
    const Result<bool> dropped = queue->entries.drop_before(begin);
    if (!dropped) note_failure("consume queue file not removed", dropped.error());
    all = all && dropped.value_or(true);
  }
  if (parts_.index != nullptr) {
    const Result<> dropped = parts_.index->drop_expired(begin);
    if (!dropped) note_failure("index file not removed", dropped.error());
  }
  if (all) followed_ = begin;
}

void Retention::let_write(const RetentionRule& rule) {
  if (rule.refuse_writes) {
    if (!std::exchange(full_, true)) {
      log::error("store", "the disk is full: messages are refused until there is room",
                 kv("disk_used", percent(space_.used_share())),
                 kv("free_bytes", space_.available_bytes));
    }
    return hooks_.on_full({make_error_code(StoreErrc::DiskFull),
                           percent(space_.used_share()) + " used, more than " +
                               std::to_string(parts_.config.disk_space_warning_level_ratio) +
                               " % (diskSpaceWarningLevelRatio)"});
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  if (!full_ || space_.available_bytes < kRoomBytes || now < full_until_) return;
  // A file may have been what there was no space for.
  const Result<> made = parts_.log.prepare_next();
  if (!made) return (void)note_failure("no room yet for a commit log file", made.error());
  full_ = false;
  let_write_at_ = now;
  log::info("store", "there is room on the disk again: messages are taken",
            kv("disk_used", percent(space_.used_share())),
            kv("free_bytes", space_.available_bytes));
  hooks_.on_room();
}

bool Retention::note_failure(const char* what, const Error& why) {
  std::string failure = what + (": " + why.message());
  if (failure != failure_) log::error("store", what, kv("error", why.message()));
  failure_ = std::move(failure);
  return true;
}

}  // namespace rmq::storage
