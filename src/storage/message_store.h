// MessageStore: the facade of this module and all that roles may include of it (with append_batch.h
// and store_config.h). It owns one store directory in Java's format: commit log, consume queues,
// checkpoint.
//
// Life: open() takes the store lock, loads, recovers; start() starts the background threads; stop()
// flushes, writes the checkpoint and removes `abort`. Destroying without stop() leaves what kill -9
// would. Threads: any, for everything but open/start/stop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "base/units.h"
#include "base/watermark.h"
#include "storage/append_batch.h"
#include "storage/store_config.h"
#include "storage/store_errc.h"

namespace rmq::storage {

// A record in the log; the pin keeps its file mapped.
struct RecordSpan {
  ByteView bytes;
  std::shared_ptr<const void> pin;
};

enum class ReadStatus {  // GetMessageStatus.java
  Found,
  NoMatchedMessage,
  MessageWasRemoving,
  OffsetFoundNull,
  OffsetOverflowOne,
  OffsetOverflowBadly,
  OffsetTooSmall,
  NoMessageInQueue,
  NoMatchedLogicQueue
};

struct ReadRequest {
  std::string_view topic;
  QueueId queue_id = 0;
  QueueOffset from;
  std::size_t count_max = 32;
  // Tag hashes that may pass; empty means all. Judged in the consume queue, so collisions pass.
  std::span<const std::int32_t> tag_hashes;
};

struct ReadResult {
  ReadStatus status = ReadStatus::NoMessageInQueue;
  QueueOffset next;  // nextBeginOffset
  QueueOffset min;
  QueueOffset end;                  // one past the last visible message
  std::vector<RecordSpan> records;  // in order; adjacent records of the log may be one span
  std::size_t message_count = 0;
  std::size_t bytes = 0;
  bool behind_memory = false;  // further behind the log end than accessMessageInMemoryMaxRatio
};

// What dispatch made visible, in log order.
struct Arrival {
  const Queue* queue;
  QueueOffset offset;
  std::int32_t tag_hash;
};

class MessageStore {
 public:
  static Result<std::unique_ptr<MessageStore>> open(const StoreConfig& config, FileSystem& files,
                                                    Clock& clock);
  ~MessageStore();
  Result<> start();
  void stop();

  // The queue's handle, made on first use; valid for the life of the store. Topic names are checked
  // by the caller.
  Queue& queue(std::string_view topic, QueueId queue_id);

  // Gives every record of `batch` its offsets and writes them with one gathered write, then calls
  // `done`, perhaps on another thread, perhaps before returning. When it is called without error
  // the records are in the page cache and batch->end() is where they end; wait on flushed() for
  // more. Nothing of a failed batch is in the log. Errors: StoreErrc::RecordTooLarge (one group
  // exceeds a segment), Stopped, ReadOnly (an I/O error or a full disk; the detail says which).
  using AppendDone = std::function<void(Result<>, std::unique_ptr<AppendBatch>)>;
  void append(std::unique_ptr<AppendBatch> batch, AppendDone done);

  // All three are closed when the store fails: waiters then get the error.
  const Watermark<AppendedOffset>& appended() const;
  Watermark<FlushedOffset>& flushed();
  // How far consume queues are built and arrivals told.
  Watermark<DispatchedOffset>& dispatched();
  // Asks the flusher for a flush now (sync flush: call after append, then wait on flushed()).
  void request_flush();

  ReadResult read(const ReadRequest& request) const;
  // The record at `at`, checked to be one. Errors: StoreErrc::OffsetOutOfRange, RecordMalformed.
  Result<RecordSpan> record_at(PhysicalOffset at) const;

  QueueOffset min_offset(std::string_view topic,
                         QueueId queue_id) const;  // 0 if there is no such queue
  QueueOffset visible_end(std::string_view topic,
                          QueueId queue_id) const;  // 0 if there is no such queue
  PhysicalOffset min_physical() const;
  // Queues by topic that exist on disk or were used since: for tools and recovery of metadata.
  std::vector<std::pair<std::string, QueueId>> queues() const;

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
