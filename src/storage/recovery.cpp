#include "storage/recovery.h"

#include <algorithm>

#include "base/log.h"
#include "base/parallel.h"
#include "storage/layout.h"
#include "storage/log_window.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

using protocol::CheckBody;
using protocol::MessageRecord;

constexpr std::size_t kEntriesPerTurn = 4096;
// The smallest part of a write that a disk does or does not do.
constexpr std::size_t kSectorBytes = 512;

constexpr const char* kAdvice = "; 'rmq store repair' says what can be saved, and saves it";

std::string text_of(PhysicalOffset at) { return std::to_string(at.value); }

}  // namespace

bool Recovery::trusts(bool unclean) const { return !unclean && mark_fits_ && mark_->clean; }

ConsumeQueue::Search Recovery::search(bool unclean) const {
  return trusts(unclean) ? ConsumeQueue::Search::Trusting : ConsumeQueue::Search::Careful;
}

Result<Dispatcher::Progress> Recovery::run(bool unclean) {
  for (StoredQueue* queue : queues_.all()) {
    // A log that still has its beginning never expired, and neither did its queues' first files.
    const bool beginless =
        log_.begin() == PhysicalOffset{0} && queue->entries.files_begin() > QueueOffset{0};
    if (queue->entries.damaged() || beginless) broken_.insert(queue);
  }
  RMQ_TRY(Plan todo, plan(unclean));
  if (todo.mode != Mode::Trusting) {
    const PhysicalOffset planned = todo.start;
    RMQ_TRY(todo.start, start_for_lost_files(planned));
    todo.same_next_time = todo.same_next_time && todo.start == planned;
  }
  // A log that follows another may have begun anew since the mark.
  todo.start = std::max(todo.start, log_.begin());
  progress_.position = todo.start;
  if (mark_fits_) {
    progress_.last_record = mark_->last_record;
    progress_.last_record_bytes = mark_->last_record_bytes;
    progress_.last_store_timestamp_ms = mark_->last_store_timestamp_ms;
  }
  if (todo.mode == Mode::Again) {
    RMQ_CHECK(cut_queues(todo.start));
    if (mark_fits_ && todo.start == mark_->dispatched && queues_end_elsewhere()) {
      log::warn("store", "consume queues lack files; reading the whole log");
      progress_.position = todo.start = log_.begin();
      todo.same_next_time = false;
      RMQ_CHECK(cut_queues(todo.start));
    }
  }
  read_from_ = todo.start;
  if (todo.mode != Mode::Trusting) RMQ_CHECK(scan(todo.start));
  RMQ_CHECK(finish(todo));
  return progress_;
}

Result<Recovery::Plan> Recovery::plan(bool unclean) {
  if (trusts(unclean)) {
    RMQ_TRY(const bool clean, stopped_cleanly());
    if (clean) return Plan{Mode::Trusting, mark_->dispatched};
    log::warn("store", "queues are not as they were left; reading the whole log");
    return Plan{Mode::Adding, log_.begin()};
  }
  const std::vector<StoredQueue*> all = queues_.all();
  const bool queues_have_entries = std::ranges::any_of(
      all, [](const StoredQueue* queue) { return queue->entries.has_entries(); });
  if (log_.empty()) {
    // Java deletes the queues then. It is more likely that the log's directory is not there.
    if (!queues_have_entries) return Plan{Mode::Again, PhysicalOffset{}};
    return fail(
        StoreErrc::Corrupt,
        log_.directories().text() + " has no segments, but there are consume queues with entries");
  }
  if (mark_fits_) {
    RMQ_TRY(const std::int64_t begun, queues_.count_begun_before(mark_->dispatched));
    const bool missing = begun < mark_->queue_count;
    if (missing) {
      log::warn("store", "consume queues are missing; reading the whole log");
    } else {
      RMQ_CHECK(forget_unborn());
    }
    return Plan{Mode::Again, missing ? log_.begin() : mark_->dispatched, !missing};
  }
  if (unclean && queues_have_entries) {
    RMQ_TRY(const PhysicalOffset start, start_after_crash());
    return Plan{Mode::Again, start, true};
  }
  // Without a single entry in any queue: the whole log, of which nothing is covered.
  RMQ_TRY(const PhysicalOffset start, start_after_java_stop());
  return Plan{Mode::Adding, start};
}

// Whether the queues, cut to the mark, do not end with the mark's entries. Old marks do not say.
bool Recovery::queues_end_elsewhere() const {
  if (mark_->clean) return queues_.hash_of_bounds() != mark_->queues_hash;
  return mark_->queues_hash != 0 && queues_.sum_of_ends() != mark_->queues_hash;
}

// The mark misses no queue without them, so they have no entries before it.
Result<> Recovery::forget_unborn() {
  for (auto it = broken_.begin(); it != broken_.end();) {
    StoredQueue* queue = *it;
    if (!queue->entries.unborn()) {
      ++it;
      continue;
    }
    RMQ_CHECK(queue->entries.reset());
    it = broken_.erase(it);
  }
  return {};
}

// Usually what was in those files lies behind `start` anyway. Where damage made them short, it need
// not.
Result<PhysicalOffset> Recovery::start_for_lost_files(PhysicalOffset start) {
  for (StoredQueue* queue : queues_.all()) {
    if (!queue->entries.lost_files() || broken_.contains(queue)) continue;
    RMQ_TRY(const PhysicalOffset covered, queue->entries.covered());
    start = std::min(start, std::max(covered, log_.begin()));
  }
  return start;
}

// Whether log and queues still end where our clean stop left them.
Result<bool> Recovery::stopped_cleanly() {
  RMQ_TRY(const bool unwritten, is_unwritten(mark_->dispatched));
  return unwritten && queues_.hash_of_bounds() == mark_->queues_hash;
}

// Whether nothing begins at `at`.
Result<bool> Recovery::is_unwritten(PhysicalOffset at) {
  if (!log_.segment_of(at)) return true;
  LogWindow window(log_, protocol::kBlankRecordBytes);
  RMQ_TRY(const ByteView head, window.at(at, protocol::kBlankRecordBytes));
  return std::all_of(head.begin(), head.end(), [](std::byte b) { return b == std::byte{0}; });
}

// A record's topic and properties have no checksum. When a power cut has torn a record there, zeros
// stand in their place: up to its end, when it is the last one; else in whole sectors, because what
// lies behind them may have reached the disk.
Result<bool> Recovery::is_torn(const MessageRecord& record, PhysicalOffset end) {
  if (mark_ && end <= mark_->flushed) return false;
  const bool zeros = record.topic.find('\0') != std::string_view::npos ||
                     record.properties.find('\0') != std::string_view::npos;
  if (!zeros) return false;
  const auto unchecked = static_cast<std::int64_t>(record.topic.size() + record.properties.size());
  RMQ_TRY(const bool sector, has_empty_sector(end - unchecked, end));
  if (sector) return true;
  const bool to_its_end =
      record.topic.find('\0') != std::string_view::npos || record.properties.back() == '\0';
  if (!to_its_end) return false;
  return is_unwritten(end);
}

// Whether a sector that begins within [from, to) is zero, as far as it lies before `to`.
Result<bool> Recovery::has_empty_sector(PhysicalOffset from, PhysicalOffset to) {
  const auto size = static_cast<std::size_t>(to - from);
  LogWindow window(log_, size);
  RMQ_TRY(const ByteView bytes, window.at(from, size));
  // Segments begin at whole sectors.
  const auto before = static_cast<std::size_t>(from.value) % kSectorBytes;
  for (std::size_t at = before == 0 ? 0 : kSectorBytes - before; at < size; at += kSectorBytes) {
    const ByteView sector = bytes.subspan(at, std::min(kSectorBytes, size - at));
    if (std::ranges::all_of(sector, [](std::byte b) { return b == std::byte{0}; })) return true;
  }
  return false;
}

std::optional<MessageRecord> Recovery::first_record(Segment& segment) {
  LogCursor cursor(log_, segment.base(), segment.base() + 1, CheckBody::No);
  Result<std::optional<MessageRecord>> record = cursor.next();
  return record ? *record : std::nullopt;
}

// CommitLog.recoverNormally: the newest segment that begins before what the queues know.
Result<PhysicalOffset> Recovery::start_after_java_stop() {
  PhysicalOffset covered;
  for (StoredQueue* queue : queues_.all()) {
    if (broken_.contains(queue)) continue;
    RMQ_TRY(const PhysicalOffset end, queue->entries.covered());
    covered = std::max(covered, end);
  }
  const auto segments = log_.segments();
  for (auto it = segments.rbegin(); it != segments.rend(); ++it) {
    if ((*it)->base() <= covered && first_record(**it)) return (*it)->base();
  }
  return log_.begin();
}

// CommitLog.recoverAbnormally: the newest segment whose first record is as old as the checkpoint.
Result<PhysicalOffset> Recovery::start_after_crash() {
  const auto segments = log_.segments();
  for (auto it = segments.rbegin(); it != segments.rend(); ++it) {
    const auto first = first_record(**it);
    if (first && first->store_timestamp_ms != 0 &&
        first->store_timestamp_ms <= checkpoint_.safe_timestamp_ms()) {
      return (*it)->base();
    }
  }
  return log_.begin();
}

Result<> Recovery::scan(PhysicalOffset start) {
  const PhysicalOffset capacity = log_.capacity_end();
  if (start < capacity)
    log::info("store", "recovery reads the log", kv("from", start.value), kv("to", capacity.value));
  LogCursor cursor(log_, start, capacity, CheckBody::Yes);
  ReadProgress progress(on_progress_, start, capacity);
  for (;;) {
    const Result<std::optional<MessageRecord>> record = cursor.next();
    if (!record || !*record) {
      progress_.position = cursor.position();
      RMQ_CHECK(flush_entries());
      // A log that is full to its last byte just ends.
      return judge_tail(record ? Error{make_error_code(protocol::RecordErrc::Unwritten), {}}
                               : record.error());
    }
    RMQ_TRY(const bool torn, is_torn(**record, cursor.position()));
    if (torn) {
      progress_.position = (*record)->physical_offset;
      RMQ_CHECK(flush_entries());
      return judge_tail({make_error_code(StoreErrc::RecordMalformed), "ends in zeros"});
    }
    RMQ_CHECK(take(**record));
    progress_.last_record = (*record)->physical_offset;
    progress_.last_record_bytes = (*record)->total_bytes;
    progress_.last_store_timestamp_ms = (*record)->store_timestamp_ms;
    progress.at(cursor.position());
  }
}

// The log ends at progress_.position, because of `why`. May what lies behind be dropped?
Result<> Recovery::judge_tail(const Error& why) {
  if (why.code.category() == std::generic_category()) return fail(why);  // could not read
  const PhysicalOffset end = progress_.position;
  RMQ_TRY(const std::optional<FoundRecord> behind, find_record_behind(log_, end + 1));
  bool lost = false;
  if (mark_) {
    lost = end < mark_->flushed;
  } else if (behind) {
    // Before the checkpoint's time everything was on disk. Older than the last sound record: Java
    // has left it behind when it cut the log earlier.
    lost = behind->store_timestamp_ms >= progress_.last_store_timestamp_ms &&
           behind->store_timestamp_ms <= checkpoint_.safe_timestamp_ms();
  }
  if (lost) {
    std::string detail = "commit log at " + text_of(end) + ": ";
    detail +=
        end < log_.capacity_end() ? why.message() : position_file_name(end.value) + " is missing";
    if (behind) detail += "; a sound record follows at " + text_of(behind->at);
    if (mark_) detail += "; known to be on disk up to " + text_of(mark_->flushed);
    detail += kAdvice;
    return fail(StoreErrc::Corrupt, std::move(detail));
  }
  if (behind || why.code != protocol::RecordErrc::Unwritten) {
    log::warn("store", "torn tail of the commit log removed", kv("at", end.value),
              kv("because", why.message()));
  }
  return {};
}

Result<> Recovery::take(const MessageRecord& record) {
  RMQ_TRY(const DispatchEntry entry, maker_.make(record));
  if (entry.queue == nullptr || broken_.contains(entry.queue)) return {};
  const auto [end, fresh] = ends_.try_emplace(entry.queue, entry.queue->entries.written_end());
  const bool first = fresh && !entry.queue->entries.has_entries();
  const bool before_files = !first && entry.queue_offset < entry.queue->entries.files_begin();
  if (before_files || (!first && entry.queue_offset > end->second)) {
    log::warn("store", "consume queue lacks entries; made again from the log",
              kv("topic", entry.queue->topic()), kv("queue", entry.queue->queue_id()),
              kv("end", end->second.value), kv("found", entry.queue_offset.value));
    broken_.insert(entry.queue);
    return {};
  }
  if (!first && entry.queue_offset < end->second) return {};
  end->second = entry.queue_offset + 1;
  entries_.push_back(entry);
  return entries_.size() < kEntriesPerTurn ? Result<>() : flush_entries();
}

Result<> Recovery::flush_entries() {
  // A queue may have turned out broken after some of its entries were collected.
  std::erase_if(entries_, [this](const DispatchEntry& e) { return broken_.contains(e.queue); });
  added_.clear();
  RMQ_CHECK(builder_.apply(entries_, added_));
  entries_.clear();
  return {};
}

// One pass over the whole log for all broken queues.
Result<> Recovery::rebuild() {
  rebuilt_ = true;
  log::warn("store", "consume queues are made again from the whole log",
            kv("queues", broken_.size()));
  for (StoredQueue* queue : broken_) RMQ_CHECK(queue->entries.reset());
  ends_.clear();
  LogCursor cursor(log_, log_.begin(), progress_.position, CheckBody::No);
  ReadProgress progress(on_progress_, log_.begin(), progress_.position);
  for (;;) {
    const Result<std::optional<MessageRecord>> read = cursor.next();
    if (!read) {
      if (read.error().code.category() == std::generic_category()) return fail(read.error());
      return fail(StoreErrc::Corrupt, "commit log at " + text_of(cursor.position()) + ": " +
                                          read.error().message() + kAdvice);
    }
    const std::optional<MessageRecord>& record = *read;
    if (!record) break;
    RMQ_TRY(const DispatchEntry entry, maker_.make(*record));
    if (entry.queue != nullptr && broken_.contains(entry.queue)) RMQ_CHECK(rebuild_entry(entry));
    progress.at(cursor.position());
  }
  broken_.clear();
  return flush_entries();
}

Result<> Recovery::rebuild_entry(const DispatchEntry& entry) {
  const auto [end, fresh] = ends_.try_emplace(entry.queue, entry.queue_offset);
  if (entry.queue_offset.value == 0 && end->second.value > 0) {
    // The topic was deleted and came again: its first life is over.
    std::erase_if(entries_, [&entry](const DispatchEntry& e) { return e.queue == entry.queue; });
    RMQ_CHECK(entry.queue->entries.reset());
    end->second = QueueOffset{};
  }
  if (entry.queue_offset < end->second) return {};  // Java had given the number twice
  if (entry.queue_offset > end->second) {
    return fail(StoreErrc::Corrupt,
                "queue " + entry.queue->topic() + "/" + std::to_string(entry.queue->queue_id()) +
                    ": the log lacks message " + std::to_string(end->second.value) +
                    " before the record at " + text_of(entry.physical) + kAdvice);
  }
  end->second += 1;
  entries_.push_back(entry);
  if (entries_.size() < kEntriesPerTurn) return {};
  added_.clear();
  RMQ_CHECK(builder_.apply(entries_, added_));
  entries_.clear();
  return {};
}

// Those that are not made again anyway.
Result<> Recovery::cut_queues(PhysicalOffset end) {
  const std::vector<StoredQueue*> all = queues_.all();
  RMQ_CHECK(for_each_parallel(all.size(), [&](std::size_t index) {
    return broken_.contains(all[index]) ? Result<>() : all[index]->entries.cut(end);
  }));
  queues_.mark_dirty(all);
  return {};
}

Result<> Recovery::finish(const Plan& done) {
  if (done.mode != Mode::Trusting) RMQ_CHECK(cut_queues(progress_.position));
  RMQ_CHECK(log_.cut(progress_.position, done.start));
  if (!broken_.empty()) RMQ_CHECK(rebuild());
  for (StoredQueue* queue : queues_.all()) {
    RMQ_CHECK(queue->entries.correct_begin(log_.begin()));
    queue->entries.end_recovery();
    queue->next_offset = queue->entries.written_end();
    progress_.queues += queue->next_offset.value > 0 ? 1 : 0;
  }
  progress_.sum_of_ends = queues_.sum_of_ends();
  return done.same_next_time && !rebuilt_ ? Result<>() : queues_.sync();
}

}  // namespace rmq::storage
