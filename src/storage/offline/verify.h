// verify(): checks a whole store that nobody has open, and changes nothing: every record of the
// commit log, the consume queues against the log in both directions, the message index against the
// log. The log is read once, from its beginning to its end.
// Threads: one. Memory: one window of the log, per queue a buffer, the slots of an index file;
// whatever the number of messages.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/file_system.h"
#include "storage/offline/finding.h"
#include "storage/offline/log_check.h"
#include "storage/offline/queue_check.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

struct VerifyOptions {
  std::size_t findings_kept = 100;
  // Bytes of the log that were looked at, of how many at most. May be empty.
  std::function<void(std::int64_t done, std::int64_t all)> on_progress;
};

struct VerifyReport {
  VerifyReport(Survey surveyed, std::size_t findings_kept)
      : survey(std::move(surveyed)), findings(findings_kept) {}

  Survey survey;
  Findings findings;
  PhysicalOffset log_begin;
  PhysicalOffset log_end;
  std::int64_t records = 0;        // sound ones
  std::int64_t placeholders = 0;   // among them
  std::int64_t queue_entries = 0;  // that are those of their records
  std::int64_t index_entries = 0;
  std::int64_t messages_lost = 0;
  std::int64_t outside = 0;  // sound records that no queue knows

  // What a repair goes by. Ranges and messages are in log order.
  std::vector<DamagedRange> ranges;
  std::vector<LostMessage> lost;  // no more than QueueCheck::kLostMax
  std::vector<QueueCheck::Broken> broken_queues;
  std::optional<std::size_t> first_broken_index;  // in survey.index
};

// Whoever holds the lock of the store; see StoreLock::lock_only().
// Errors: as survey(); StoreErrc::InUse when another process has the store; I/O errors other than
// of single blocks, which are findings.
Result<std::unique_ptr<File>> lock_store(FileSystem& files, const StorePlace& place);
Result<VerifyReport> verify(FileSystem& files, const StorePlace& place,
                            const VerifyOptions& options);

}  // namespace rmq::storage::offline
