// AppendBatch: records that go into the commit log together. Records are encoded
// into buffer() outside every lock, with zeros where queue offset, physical offset and store time
// belong; append fills those in. A group is what must be contiguous in one segment: one message, or
// all messages of a client batch. Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "storage/queue.h"

namespace rmq::storage {

class AppendBatch {
 public:
  struct Record {
    std::uint32_t begin = 0;  // in buffer()
    std::uint32_t size = 0;
    std::int32_t tag_hash = 0;
    // Of a scheduled message: it is due so long after its store time, instead of a tag hash.
    std::optional<std::chrono::milliseconds> due_after;
    // Set by append:
    PhysicalOffset physical;
    QueueOffset queue_offset;
  };
  struct Group {
    Queue* queue = nullptr;
    std::uint32_t first_record = 0;
    std::uint32_t record_count = 0;
  };

  // Where the next record is encoded: append whole records to it, then name them with add_record().
  Bytes& buffer() { return buffer_; }
  void begin_group(Queue& queue) {
    groups_.push_back({&queue, static_cast<std::uint32_t>(records_.size()), 0});
  }
  // The bytes of buffer() from `begin` to its end are one record of the current group.
  void add_record(std::size_t begin, std::int32_t tag_hash) {
    records_.push_back({static_cast<std::uint32_t>(begin),
                        static_cast<std::uint32_t>(buffer_.size() - begin),
                        tag_hash,
                        {},
                        {},
                        {}});
    ++groups_.back().record_count;
  }
  // The same for a message of SCHEDULE_TOPIC_XXXX.
  void add_scheduled_record(std::size_t begin, std::chrono::milliseconds due_after) {
    add_record(begin, 0);
    records_.back().due_after = due_after;
  }
  // Takes the last group back, as if it had never begun.
  void drop_group() {
    const std::size_t first = groups_.back().first_record;
    if (first < records_.size()) buffer_.resize(records_[first].begin);
    records_.resize(first);
    groups_.pop_back();
  }
  bool empty() const { return groups_.empty(); }
  // Keeps the memory.
  void clear() {
    buffer_.clear();
    records_.clear();
    groups_.clear();
    end_ = {};
    store_timestamp_ms_ = 0;
    reign_ = 0;
  }

  std::vector<Record>& records() { return records_; }
  const std::vector<Record>& records() const { return records_; }
  const std::vector<Group>& groups() const { return groups_; }

  // Set by append: one past the last byte of the batch, and the store time of all its records.
  PhysicalOffset end() const { return end_; }
  std::int64_t store_timestamp_ms() const { return store_timestamp_ms_; }
  // Likewise: the store's reign() then.
  std::int64_t reign() const { return reign_; }
  void set_appended(PhysicalOffset end, std::int64_t store_timestamp_ms, std::int64_t reign) {
    end_ = end;
    store_timestamp_ms_ = store_timestamp_ms;
    reign_ = reign;
  }

 private:
  Bytes buffer_;
  std::vector<Record> records_;
  std::vector<Group> groups_;
  PhysicalOffset end_;
  std::int64_t store_timestamp_ms_ = 0;
  std::int64_t reign_ = 0;
};

// What append calls when it is done with a batch; see MessageStore::append.
using AppendDone = std::function<void(Result<>, std::unique_ptr<AppendBatch>)>;

}  // namespace rmq::storage
