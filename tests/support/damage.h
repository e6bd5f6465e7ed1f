// What tests of damaged stores have in common: a store with several segments, queues and index
// entries, and ways to damage its files.
#pragma once

#include <map>

#include "storage/offline/verify.h"
#include "storage/placeholder.h"
#include "tests/support/store_fixture.h"

namespace rmq::test {

struct DamageFixture : StoreFixture {
  static constexpr int kQueues = 2;
  static constexpr int kMessages = 60;  // of each queue

  DamageFixture() {
    config.commit_log_segment_bytes = 4096;
    config.consume_queue_file_bytes = 20 * 16;
    config.index_slots_per_file = 20;
    config.index_entries_per_file = 60;
    fill();
  }

  // Messages in turn over the queues of T, each with a tag and a key; where each lies is kept.
  void fill() {
    open();
    for (int i = 0; i < kMessages; ++i) {
      for (QueueId id = 0; id < kQueues; ++id) {
        auto batch = std::make_unique<storage::AppendBatch>();
        storage::Queue& queue = store->queue("T", id);
        batch->begin_group(queue);
        const std::string body = "body " + std::to_string(id) + " " + std::to_string(i);
        add_record(*batch, queue, body, "tag" + std::to_string(i % 3), "key" + std::to_string(i));
        const Appended done = append_batch(*store, std::move(batch));
        REQUIRE(done.outcome);
        REQUIRE(done.offsets[0].value == i);
        places[{id, i}] = done.physical[0].value;
        ends[{id, i}] = done.end.value;
        sent[id].push_back(body);
        clock.advance(std::chrono::seconds(1));
      }
    }
    REQUIRE(wait_dispatched());
    REQUIRE(wait_flushed());
    REQUIRE(wait_for(store->indexed(), IndexedOffset{store->appended().value().value}));
    stop();
  }

  std::int64_t place(QueueId id, int number) const { return places.at({id, number}); }
  std::int64_t size(QueueId id, int number) const {
    return ends.at({id, number}) - place(id, number);
  }

  // A byte of the log.
  void flip(std::int64_t at, std::uint8_t bits) {
    const std::string path =
        segment_path(at / config.commit_log_segment_bytes * config.commit_log_segment_bytes);
    flip_in(path, at % config.commit_log_segment_bytes, bits);
  }
  void flip_in(const std::string& path, std::int64_t at, std::uint8_t bits) {
    const Bytes bytes = *read_file(*files, path);
    const std::byte changed = bytes.at(static_cast<std::size_t>(at)) ^ std::byte{bits};
    overwrite(path, at, ByteView(&changed, 1));
  }
  void zero(std::int64_t at, std::int64_t count) {
    const std::int64_t base =
        at / config.commit_log_segment_bytes * config.commit_log_segment_bytes;
    overwrite(segment_path(base), at - base, Bytes(static_cast<std::size_t>(count)));
  }

  std::string queue_file(QueueId id, int number) const {
    const std::int64_t bytes = config.consume_queue_file_bytes;
    return layout().consume_queue("T", id) + "/" +
           storage::position_file_name(number * 20 / bytes * bytes);
  }
  std::int64_t in_queue_file(int number) const {
    return number * 20 % config.consume_queue_file_bytes;
  }

  storage::offline::StorePlace store_place() const { return {config, true}; }
  storage::offline::VerifyReport verify() {
    auto report = storage::offline::verify(*files, store_place(), {});
    REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().message()));
    return std::move(*report);
  }

  std::map<std::pair<QueueId, int>, std::int64_t> places;
  std::map<std::pair<QueueId, int>, std::int64_t> ends;
  std::map<QueueId, std::vector<std::string>> sent;
};

// The findings as text, for messages of tests.
inline std::string text_of(const storage::offline::Findings& findings) {
  std::string text;
  for (const auto& finding : findings.kept()) {
    text += std::string(name_of(finding.kind)) + " (" + name_of(finding.harm) + ") " +
            finding.file + " at " + std::to_string(finding.position) + ": " + finding.what + "\n";
  }
  return text;
}

}  // namespace rmq::test
