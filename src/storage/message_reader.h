// MessageReader: answers pulls from consume queues and log, without decoding a record.
// What a pull may get, and which offset comes next, is Java's (DefaultMessageStore.getMessage,
// isTheBatchFull): the first message always; then up to a count and a number of bytes that depend
// on whether the message is estimated to be in memory; at most so many entries are looked at when
// tags filter; one consume queue file per pull.
// Where the bytes come from: the newest part of the log, as far as this process wrote it, through
// mappings; everything older is copied, so that a cold page or an I/O error concerns the one who
// reads it, and never a thread that serves others.
// Threads: any; mapped_from() before any other.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "base/watermark.h"
#include "protocol/message_record.h"
#include "storage/commit_log.h"
#include "storage/read_result.h"
#include "storage/store_config.h"
#include "storage/stored_queue.h"

namespace rmq::storage {

class MessageReader {
 public:
  // `config` must outlive it. `memory_bytes`: how far behind the log's end is "in memory".
  MessageReader(const CommitLog& log, const Watermark<AppendedOffset>& appended,
                const StoreConfig& config, std::int64_t memory_bytes)
      : log_(log), appended_(appended), config_(config), memory_bytes_(memory_bytes) {}

  // Nothing before `from` is read through a mapping: the end of what recovery found.
  void mapped_from(PhysicalOffset from) { mapped_from_ = from; }
  // The log was cut at `end`, and what lies behind is written by this process. While nobody reads.
  void note_cut(PhysicalOffset end) { mapped_from_ = std::min(mapped_from_, end); }

  // `queue` null: there is none. Errors: StoreErrc::NotInMemory when the request may not wait; I/O.
  Result<ReadResult> read(const StoredQueue* queue, const ReadRequest& request) const;
  Result<RecordSpan> record_at(PhysicalOffset at) const;
  Result<RecordSpan> read_log(PhysicalOffset at, std::size_t max, MayWait may_wait) const;
  Result<> scan(PhysicalOffset from,
                const std::function<void(const protocol::MessageRecord&)>& visit) const;

  // The share of this machine's memory that `config` says.
  static std::int64_t memory_bytes_of(const StoreConfig& config);

 private:
  struct Run;
  struct Walk;

  Result<> collect(const StoredQueue& queue, const ReadRequest& request, ReadResult& result) const;
  bool take_entry(Walk& walk, const ConsumeQueueEntry& entry) const;
  Result<> add_records(const std::vector<Run>& runs, MayWait may_wait, PhysicalOffset mapped_from,
                       ReadResult& result) const;
  Result<> copy_records(std::span<const Run> runs, MayWait may_wait, ReadResult& result) const;
  bool is_full(const Walk& walk, std::size_t size, bool in_memory) const;

  const CommitLog& log_;
  const Watermark<AppendedOffset>& appended_;
  const StoreConfig& config_;
  const std::int64_t memory_bytes_;
  PhysicalOffset mapped_from_;
};

}  // namespace rmq::storage
