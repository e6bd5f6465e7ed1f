// MessageStore: the facade of this module and all that roles may include of it (with append_batch.h
// and store_config.h). It owns one store directory in Java's format: commit log, consume queues,
// message index, checkpoint.
//
// A store leads, and takes messages by append(), or follows another one, and takes that one's log
// by append_log(): reign by reign. Life: open() takes the store lock, loads, recovers; start()
// starts the background threads and the first reign; stop() flushes, writes the checkpoint and
// removes `abort`. Destroying without stop() leaves what kill -9 would. A store that has failed is
// stopped like that, too: the next open() recovers. Threads: any, for everything but open, start,
// stop and the two that change the reign, which come one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "base/units.h"
#include "base/watermark.h"
#include "protocol/message_record.h"
#include "storage/append_batch.h"
#include "storage/arrival.h"
#include "storage/delay_levels.h"
#include "storage/message_query.h"
#include "storage/queue_entry.h"
#include "storage/read_progress.h"
#include "storage/read_result.h"
#include "storage/store_config.h"
#include "storage/store_errc.h"

namespace rmq::storage {

class MessageStore {
 public:
  // Errors: StoreErrc::InUse, WrongFileSize, WrongFileName (a file that does not fit the
  // configuration or does not belong there), NotSupported (queues in RocksDB, batch queues),
  // Corrupt (what was on disk is damaged; the detail has the position); I/O errors. Reading the log
  // may take long: `on_progress` hears of it, on this thread.
  static Result<std::unique_ptr<MessageStore>> open(const StoreConfig& config, FileSystem& files,
                                                    Clock& clock,
                                                    ProgressListener on_progress = {});
  ~MessageStore();
  enum class Reign { Leading, Following };
  Result<> start(Reign reign = Reign::Leading);
  void stop();

  // The reign ends: append() and append_log() fail with NoReign, what they had taken is in the log
  // or has failed, and whoever waits for a watermark is told `why`. Reading, dispatch and flushing
  // go on. Nothing if there is no reign. Not from a hook or a completion.
  void end_reign(const Error& why);
  // The next reign begins, at the end of the log or at `cut`, an end of a record before that: what
  // lies behind is put into rmq/diverged and then it is gone, from log, queues and index, for good;
  // that takes time, readers meanwhile get Truncating, and spans that they hold may turn to zeros.
  // What was not confirmed stays so; `confirmed` says how far everything is instead, and may be
  // lower. A store that leads has dispatched what it may. Errors, without a new reign: Stopped;
  // OffsetOutOfRange, RecordMalformed (`cut` is not the end of a record), DiskFull (no room for
  // what lies behind), DivergedTooLong: all is as it was, and this may be called again; any other
  // while the log is cut is final, as every failing write.
  Result<> begin_reign(Reign reign, std::optional<PhysicalOffset> cut = {},
                       std::optional<ConfirmedOffset> confirmed = {});
  // Grows when a reign ends. Who has waited for a watermark after an append looks whether it is
  // still AppendBatch::reign(): if not, what was reached may be the end of other records.
  std::int64_t reign() const;

  // The queue's handle, made on first use; valid for the life of the store. Topic names are checked
  // by the caller.
  Queue& queue(std::string_view topic, QueueId queue_id);

  // `batch` must have a group. Gives every record its offsets and writes them with one gathered
  // write, then calls `done`, perhaps on another thread, perhaps before returning. When it is
  // called without error the records are in the page cache and batch->end() is where they end; wait
  // on flushed() for more. Nothing of a failed batch is in the log. Errors:
  // StoreErrc::RecordTooLarge (one group exceeds a segment), Stopped, DiskFull (until there is
  // room), ReadOnly (an I/O error; the detail says which), Following, NoReign.
  using AppendDone = storage::AppendDone;
  void append(std::unique_ptr<AppendBatch> batch, AppendDone done);

  // Following: `bytes` of the other store's log from `at` on, in pieces of any size; what is whole
  // and sound of it is written. appended() then says how far. One thread at a time. Errors:
  // StoreErrc::OffsetOutOfRange when they do not follow, RecordMalformed, DiskFull (until there is
  // room), Stopped (the store leads), NoReign, ReadOnly.
  Result<> append_log(PhysicalOffset at, ByteView bytes);
  // Following: where the next append_log() must begin; a record that came in parts is forgotten. On
  // the thread of append_log().
  PhysicalOffset resume_log();
  // Raw log from `at` on, to the end of its segment and of what is appended at most, and at most
  // `max` bytes; empty at the end of the log. Errors: StoreErrc::OffsetOutOfRange beyond the log;
  // NotInMemory when the read may not wait; I/O.
  Result<RecordSpan> read_log(PhysicalOffset at, std::size_t max, MayWait may_wait) const;
  // Nothing from `end` on becomes visible until a later call says more: it is not confirmed. At
  // first everything is. Between two reigns nothing happens.
  void confirm(ConfirmedOffset end);
  // In place of an end: everything is confirmed, what comes too, until the next call.
  static constexpr ConfirmedOffset kAllConfirmed{std::numeric_limits<std::int64_t>::max()};

  // All three are closed when the store fails: waiters then get the error.
  Watermark<AppendedOffset>& appended() const;
  Watermark<FlushedOffset>& flushed();
  // How far consume queues are built and arrivals told.
  Watermark<DispatchedOffset>& dispatched();
  // How far messages can be found by key; it stays behind for a while after a crash, and for good
  // while messages are not indexed.
  Watermark<IndexedOffset>& indexed();
  // Asks the flusher for a flush now (sync flush: call after append, then wait on flushed()).
  void request_flush();

  // While the log is cut, reading fails with StoreErrc::Truncating: try again.
  //
  // What a pull gets. Errors: StoreErrc::NotInMemory when the request may not wait for the disk and
  // would have to; I/O.
  Result<ReadResult> read(const ReadRequest& request) const;
  // The record at `at`, checked to be one. Errors: StoreErrc::OffsetOutOfRange, RecordMalformed.
  Result<RecordSpan> record_at(PhysicalOffset at) const;
  // Entries of `queue` from `from` on: as many as `into` takes and one file has before the visible
  // end. Their number. Waits for the disk when they are cold, as record_at() does.
  Result<std::size_t> read_entries(Queue& queue, QueueOffset from,
                                   std::span<ConsumeQueueEntry> into) const;
  // Shows every record from `from`, where one must begin, to the end of the log, in order. Reads
  // the whole way: for recovery. Errors: of what cannot be read.
  Result<> scan(PhysicalOffset from,
                const std::function<void(const protocol::MessageRecord&)>& visit) const;

  // Where the segment that has `at` begins: a record does, if anything was written there.
  PhysicalOffset segment_begin(PhysicalOffset at) const;
  // So many blocks of the log were found, since the start, to differ from what was written.
  std::int64_t damaged_blocks() const;

  const DelayLevels& delay_levels() const;

  // Messages by key; may wait for the disk. Nothing is found while messages are not indexed.
  // Errors: I/O.
  Result<QueryResult> query(const QueryRequest& request) const;

  // Deletes the messages of `topic` that lie before `end`, for good: no consumer gets them, also
  // after a crash. Its queues go on counting where they are. Waits for the disk. Errors:
  // StoreErrc::OffsetOutOfRange when dispatched() has not reached `end`; I/O.
  Result<> delete_messages(std::string_view topic, PhysicalOffset end);

  // Commit log files that are expired go soon, whatever the hour.
  void delete_expired();

  // The first message still kept, and one past the last visible one; 0 if there is no such queue.
  QueueOffset min_offset(std::string_view topic, QueueId queue_id) const;
  QueueOffset visible_end(std::string_view topic, QueueId queue_id) const;
  PhysicalOffset min_physical() const;
  // Queues by topic that exist on disk or were used since: for tools and recovery of metadata.
  std::vector<std::pair<std::string, QueueId>> queues() const;
  // Those that hold messages, visible or not. While nobody appends: before start(), and from
  // begin_reign() to the first append.
  std::vector<std::pair<std::string, QueueId>> queues_with_messages() const;

  // Called on the dispatcher thread after the entries can be read. Set before start().
  void on_arrival(std::function<void(std::span<const Arrival>)> listener);
  // Called once, on any thread, when the store can write no more (failed fsync or write). Set
  // before start().
  void on_fatal(std::function<void(const Error&)> listener);

 private:
  class Impl;
  explicit MessageStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rmq::storage
