// StoreFixture: a store in a temporary directory, with small files, and what tests do to it.
#pragma once

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/java_compat.h"
#include "base/log.h"
#include "protocol/message_record.h"
#include "storage/layout.h"
#include "storage/message_store.h"
#include "tests/support/temp_directory.h"

namespace rmq::test {

// What an append told.
struct Appended {
  Result<> outcome;
  std::vector<PhysicalOffset> physical;
  std::vector<QueueOffset> offsets;
  PhysicalOffset end;
  std::int64_t store_timestamp_ms = 0;
};

// Adds `body` to the current group of `batch`.
inline void add_record(storage::AppendBatch& batch, const storage::Queue& queue,
                       std::string_view body, std::string_view tag = {},
                       std::string_view keys = {}) {
  protocol::MessageRecord record;
  record.topic = queue.topic();
  record.queue_id = queue.queue_id();
  record.body = as_bytes(body);
  record.born_timestamp_ms = 1;
  std::string properties = tag.empty() ? "" : "TAGS\1" + std::string(tag) + "\2";
  if (!keys.empty()) properties += "KEYS\1" + std::string(keys) + "\2";
  record.properties = properties;
  const std::size_t begin = batch.buffer().size();
  protocol::encode_record(record, batch.buffer());
  batch.add_record(begin, tag.empty() ? 0 : java_hash(tag));
}

// Appends and waits for the completion.
inline Appended append_batch(storage::MessageStore& store,
                             std::unique_ptr<storage::AppendBatch> batch) {
  std::promise<Appended> told;
  std::future<Appended> result = told.get_future();
  store.append(std::move(batch),
               [&told](Result<> outcome, std::unique_ptr<storage::AppendBatch> done) {
                 Appended appended;
                 appended.outcome = std::move(outcome);
                 for (const auto& record : done->records()) {
                   appended.physical.push_back(record.physical);
                   appended.offsets.push_back(record.queue_offset);
                 }
                 appended.end = done->end();
                 appended.store_timestamp_ms = done->store_timestamp_ms();
                 told.set_value(std::move(appended));
               });
  return result.get();
}

// Waits until `mark` has reached `at`; the error when it was closed.
template <class Offset>
Result<> wait_for(Watermark<Offset>& mark, Offset at) {
  std::promise<Result<>> told;
  std::future<Result<>> result = told.get_future();
  mark.when_at_least(at, [&told](Result<> outcome) { told.set_value(std::move(outcome)); });
  return result.get();
}

class StoreFixture {
 public:
  StoreFixture() {
    log::set_level(log::Level::Error);
    config.root_directory = directory / "store";
    config.commit_log_segment_bytes = 64 * 1024;
    config.consume_queue_file_bytes = 20 * 100;
    config.index_slots_per_file = 100;
    config.index_entries_per_file = 1000;
    config.flush_interval = std::chrono::milliseconds(5);
    config.flush_consume_queue_interval = std::chrono::milliseconds(5);
    config.block_checksums_enable = false;  // a thread that reads the log would meet planned faults
  }

  Result<> try_open() {
    store.reset();
    auto opened = storage::MessageStore::open(config, *files, clock);
    if (!opened) return fail(opened.error());
    store = std::move(*opened);
    if (listener) store->on_arrival(listener);
    if (fatal) store->on_fatal(fatal);
    return store->start();
  }
  void open() {
    const Result<> opened = try_open();
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
  }
  // As kill -9 would leave it.
  void kill() { store.reset(); }
  void stop() {
    store->stop();
    store.reset();
  }
  void restart() {
    stop();
    open();
  }

  Appended append(std::string_view topic, QueueId queue_id, const std::vector<std::string>& bodies,
                  std::string_view tag = {}) {
    auto batch = std::make_unique<storage::AppendBatch>();
    storage::Queue& queue = store->queue(topic, queue_id);
    for (const std::string& body : bodies) {
      batch->begin_group(queue);
      add_record(*batch, queue, body, tag);
    }
    return append_batch(*store, std::move(batch));
  }
  Result<> wait_dispatched() {
    return wait_for(store->dispatched(), DispatchedOffset{store->appended().value().value});
  }
  Result<> wait_flushed() {
    store->request_flush();
    return wait_for(store->flushed(), FlushedOffset{store->appended().value().value});
  }

  // The bodies of a queue from `from` to its end, by as many reads as it takes.
  std::vector<std::string> bodies(std::string_view topic, QueueId queue_id, std::int64_t from = 0) {
    std::vector<std::string> found;
    storage::ReadRequest request;
    request.topic = topic;
    request.queue_id = queue_id;
    request.from = QueueOffset{from};
    for (;;) {
      const auto read = store->read(request);
      REQUIRE(read);
      const storage::ReadResult& result = *read;
      if (result.status != storage::ReadStatus::Found) return found;
      QueueOffset expected = request.from;
      for (const storage::RecordSpan& span : result.records) {
        ByteView bytes = span.bytes;
        while (!bytes.empty()) {
          const auto record = protocol::decode_record(bytes, protocol::CheckBody::Yes);
          REQUIRE(record);
          CHECK(record->topic == topic);
          CHECK(record->queue_offset == expected);
          expected += 1;
          found.emplace_back(as_text(record->body));
          bytes = bytes.subspan(record->total_bytes);
        }
      }
      CHECK(expected == result.next);
      request.from = result.next;
    }
  }

  storage::Layout layout() const { return storage::Layout(config); }
  std::string segment_path(std::int64_t base) const {
    return layout().commit_log() + "/" + storage::position_file_name(base);
  }

  TempDirectory directory;
  ManualClock clock;
  storage::StoreConfig config;
  FileSystem* files = &FileSystem::posix();
  std::unique_ptr<storage::MessageStore> store;
  std::function<void(std::span<const storage::Arrival>)> listener;
  std::function<void(const Error&)> fatal;
};

// Overwrites bytes of a file.
inline void overwrite(const std::string& path, std::int64_t at, ByteView bytes) {
  auto file = FileSystem::posix().open(path, OpenMode::Write);
  REQUIRE(file);
  REQUIRE((*file)->pwrite(bytes, at));
}

}  // namespace rmq::test
