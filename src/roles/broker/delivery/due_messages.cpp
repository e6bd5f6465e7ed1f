#include "roles/broker/delivery/due_messages.h"

#include <algorithm>
#include <array>
#include <future>
#include <utility>

#include "base/log.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "roles/broker/delivery/delay_mark.h"
#include "roles/broker/delivery/delayed_record.h"
#include "storage/placeholder.h"
#include "storage/store_errc.h"

namespace rmq::roles::broker {
namespace {

using storage::ConsumeQueueEntry;
using storage::StoreErrc;

// One batch: enough to share a write, little enough that nothing else waits long for it.
constexpr std::size_t kBatchBytesMax = 1024 * 1024;
constexpr std::int64_t kEntriesPerLevel = 512;
constexpr std::size_t kEntriesPerRead = 64;

// What the log can no longer give, ever.
bool is_gone(const Error& why) {
  return why.code == StoreErrc::OffsetOutOfRange || why.code == StoreErrc::RecordMalformed;
}

std::int32_t highest_level(const storage::MessageStore& store) {
  std::int32_t highest = store.delay_levels().count();
  for (const auto& [topic, queue_id] : store.queues()) {
    if (topic == storage::kScheduleTopic) highest = std::max(highest, queue_id + 1);
  }
  return highest;
}

}  // namespace

DueMessages::DueMessages(storage::MessageStore& store, DelayProgress& progress, Clock& clock)
    : store_(store), progress_(progress), clock_(clock), levels_(highest_level(store)) {}

DueMessages::Round DueMessages::deliver() {
  Batch batch;
  batch.now_ms = clock_.now_ms();
  // Each round begins with another level: a batch may be full before the last one's turn.
  for (std::int32_t i = 0; i < levels_; ++i) collect((first_level_ + i) % levels_ + 1, batch);
  first_level_ = (first_level_ + 1) % levels_;
  if (!batch.records->empty()) {
    append(batch);
  } else {
    for (const auto& [level, next] : batch.next) progress_.skip(level, next);
  }
  if (!batch.round.failed) failing_ = false;
  return batch.round;
}

// Retention may have passed by what was never due.
QueueOffset DueMessages::first_to_deliver(std::int32_t level) {
  const QueueOffset next = progress_.next(level);
  const QueueOffset begin = store_.min_offset(storage::kScheduleTopic, level - 1);
  if (next >= begin) return next;
  log::error("delay", "messages are gone from the log before they were due", kv("level", level),
             kv("from", next.value), kv("to", begin.value));
  progress_.skip(level, begin);
  return begin;
}

// ScheduleMessageService.correctDeliverTimestamp: a time further away than the delay means that the
// clock was set back.
std::int64_t DueMessages::due_ms(std::int32_t level, std::int64_t tag_code,
                                 std::int64_t now_ms) const {
  const storage::DelayLevels& levels = store_.delay_levels();
  const std::int64_t delay_ms = levels.delay(levels.clamp(level)).count();
  return tag_code > now_ms + delay_ms ? now_ms : tag_code;
}

void DueMessages::collect(std::int32_t level, Batch& batch) {
  storage::Queue& queue = store_.queue(storage::kScheduleTopic, level - 1);
  std::array<ConsumeQueueEntry, kEntriesPerRead> entries;
  QueueOffset at = first_to_deliver(level);
  for (const QueueOffset stop = at + kEntriesPerLevel; at < stop;) {
    const auto count = store_.read_entries(queue, at, entries);
    if (!count) return note_failure(batch, count.error());
    if (*count == 0) return;
    if (!collect(level, at, std::span(entries).first(*count), batch)) return;
    at += static_cast<std::int64_t>(*count);
  }
  batch.round.due_at(batch.now_ms);  // there may be more
}

// False when the level has nothing more to give now.
bool DueMessages::collect(std::int32_t level, QueueOffset at,
                          std::span<const ConsumeQueueEntry> entries, Batch& batch) {
  for (const ConsumeQueueEntry& entry : entries) {
    const std::int64_t due = due_ms(level, entry.tag_code, batch.now_ms);
    const bool full = batch.records->buffer().size() >= kBatchBytesMax;
    if (due > batch.now_ms || full) {
      batch.round.due_at(due);
      return false;
    }
    if (entry.tag_code != storage::kDamagedTagCode) {
      if (const Result<> added = add(level, at, entry, batch); !added) {
        note_failure(batch, added.error());
        return false;
      }
    }
    at += 1;
    batch.next[level] = at;
  }
  return true;
}

// Errors: what may be better later.
Result<> DueMessages::add(std::int32_t level, QueueOffset offset, const ConsumeQueueEntry& entry,
                          Batch& batch) {
  const auto give_up = [&](const Error& why) {
    log::error("delay", "delayed message cannot be delivered", kv("level", level),
               kv("offset", offset.value), kv("at", entry.physical.value),
               kv("why", why.message()));
    return Result<>();
  };
  const Result<storage::RecordSpan> span = store_.record_at(entry.physical);
  if (!span) {
    if (is_gone(span.error())) return give_up(span.error());
    return fail(span.error());
  }
  const auto waiting = protocol::decode_record(span->bytes);
  if (!waiting) return give_up(waiting.error());
  const auto due = due_record(*waiting, {level, offset});
  if (!due) return give_up(due.error());
  const auto tags = protocol::find_property(waiting->properties, protocol::property::kTags);
  const Result<> added = add_to_batch(store_, *batch.records, (*due)->record, tags.value_or(""));
  if (!added) return give_up(added.error());
  ++batch.round.delivered;
  return {};
}

void DueMessages::append(Batch& batch) {
  struct Done {
    Result<> outcome;
    PhysicalOffset end;
  };
  progress_.begin_append();
  const auto told = std::make_shared<std::promise<Done>>();
  std::future<Done> result = told->get_future();
  store_.append(std::move(batch.records),
                [told](Result<> outcome, std::unique_ptr<storage::AppendBatch> appended) {
                  told->set_value({std::move(outcome), appended->end()});
                });
  const Done done = result.get();
  if (done.outcome) return progress_.appended(batch.next, done.end);
  progress_.append_failed();
  batch.round.delivered = 0;
  note_failure(batch, done.outcome.error());
}

void DueMessages::note_failure(Batch& batch, const Error& why) {
  batch.round.failed = true;
  if (std::exchange(failing_, true)) return;
  log::error("delay", "due messages cannot be delivered now, trying again",
             kv("why", why.message()));
}

}  // namespace rmq::roles::broker
