// DueMessages: takes messages that are due out of SCHEDULE_TOPIC_XXXX and appends them for their
// consumers, each level in its order, many to one append.
// A batch counts only when it is in the log; a batch that fails is tried again from the same
// offsets. What can never be delivered (gone from the log, no usable topic) is passed over with an
// error in the log, as in Java.
// Threads: one at a time; it waits for the disk when messages are cold.
// Crash: every delivered message carries its mark, see delay_progress.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "roles/broker/delivery/delay_progress.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

class DueMessages {
 public:
  DueMessages(storage::MessageStore& store, DelayProgress& progress, Clock& clock);

  struct Round {
    std::size_t delivered = 0;
    // When the next message is due, Unix ms; now or earlier when there was more than one batch
    // takes. Empty: nothing waits.
    std::optional<std::int64_t> next_due_ms;
    // Something went wrong that may be better later; why is in the log, once.
    bool failed = false;

    void due_at(std::int64_t ms) { next_due_ms = std::min(next_due_ms.value_or(ms), ms); }
  };
  // One batch.
  Round deliver();

  // The highest level that is looked after: those configured, and those that have messages.
  std::int32_t levels() const { return levels_; }

 private:
  struct Batch {
    std::unique_ptr<storage::AppendBatch> records = std::make_unique<storage::AppendBatch>();
    DelayProgress::Offsets next;  // of the levels in it, behind their last message in it
    std::int64_t now_ms = 0;
    Round round;
  };

  void collect(std::int32_t level, Batch& batch);
  bool collect(std::int32_t level, QueueOffset at,
               std::span<const storage::ConsumeQueueEntry> entries, Batch& batch);
  QueueOffset first_to_deliver(std::int32_t level);
  Result<> add(std::int32_t level, QueueOffset offset, const storage::ConsumeQueueEntry& entry,
               Batch& batch);
  std::int64_t due_ms(std::int32_t level, std::int64_t tag_code, std::int64_t now_ms) const;
  void append(Batch& batch);
  void note_failure(Batch& batch, const Error& why);

  storage::MessageStore& store_;
  DelayProgress& progress_;
  Clock& clock_;
  const std::int32_t levels_;
  std::int32_t first_level_ = 0;  // of the next round, from 0
  bool failing_ = false;          // said so in the log
};

}  // namespace rmq::roles::broker
