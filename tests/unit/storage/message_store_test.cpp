#include "storage/message_store.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::add_record;
using test::append_batch;
using test::Appended;
using test::StoreFixture;
using test::wait_for;
using Texts = std::vector<std::string>;

TEST_CASE("store: what is appended to a fresh store is read back, per queue and in order") {
  StoreFixture fixture;
  fixture.open();
  const Appended first = fixture.append("T", 0, {"a", "b"});
  REQUIRE(first.outcome);
  CHECK(first.offsets == std::vector<QueueOffset>{{0}, {1}});
  CHECK(first.physical[0] == PhysicalOffset{0});
  CHECK(first.store_timestamp_ms == fixture.clock.now_ms());
  REQUIRE(fixture.append("T", 1, {"c"}).outcome);
  const Appended last = fixture.append("T", 0, {"d"});
  CHECK(last.offsets[0] == QueueOffset{2});
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0) == Texts{"a", "b", "d"});
  CHECK(fixture.bodies("T", 1) == Texts{"c"});
  CHECK(fixture.store->visible_end("T", 0) == QueueOffset{3});
  CHECK(fixture.store->min_offset("T", 0) == QueueOffset{0});
  CHECK(fixture.store->visible_end("none", 0) == QueueOffset{0});
  CHECK(fixture.store->queues() ==
        std::vector<std::pair<std::string, QueueId>>{{"T", 0}, {"T", 1}});
  CHECK(fixture.store->appended().value().value == last.end.value);
}

TEST_CASE("store: one segment in full, and nothing else, for a fresh store") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  const auto names = FileSystem::posix().list(fixture.layout().commit_log());
  REQUIRE(names);
  CHECK(*names == Texts{"00000000000000000000"});
  auto file = FileSystem::posix().open(fixture.segment_path(0), OpenMode::Read);
  REQUIRE(file);
  CHECK(*(*file)->size() == fixture.config.commit_log_segment_bytes);
}

TEST_CASE("store: a second one on the same directory is refused and changes nothing") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"a"}).outcome);
  const auto second = MessageStore::open(fixture.config, *fixture.files, fixture.clock);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == StoreErrc::InUse);
  REQUIRE(fixture.append("T", 0, {"b"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0) == Texts{"a", "b"});
}

TEST_CASE("store: store times never go backwards") {
  StoreFixture fixture;
  fixture.open();
  const std::int64_t before = fixture.append("T", 0, {"a"}).store_timestamp_ms;
  fixture.clock.set_wall_ms(before - 5000);
  CHECK(fixture.append("T", 0, {"b"}).store_timestamp_ms == before);
  fixture.stop();
  fixture.open();
  CHECK(fixture.append("T", 0, {"c"}).store_timestamp_ms == before);
  fixture.clock.set_wall_ms(before + 1);
  CHECK(fixture.append("T", 0, {"d"}).store_timestamp_ms == before + 1);
}

TEST_CASE("store: a segment that is full ends with a blank record, and reading goes on behind it") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  Texts sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back("message " + std::to_string(i) + std::string(static_cast<std::size_t>(i), 'x'));
    REQUIRE(fixture.append("T", 0, {sent.back()}).outcome);
  }
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0) == sent);
  const auto segment = read_file(FileSystem::posix(), fixture.segment_path(0));
  REQUIRE(segment);
  std::size_t at = 0;
  for (;;) {
    const auto scan = protocol::scan_record(ByteView(*segment).subspan(at),
                                            PhysicalOffset{static_cast<std::int64_t>(at)},
                                            protocol::CheckBody::Yes);
    REQUIRE(scan);
    at += scan->size;
    if (scan->kind == protocol::RecordScan::Kind::Blank) break;
  }
  CHECK(at == 1000);
}

TEST_CASE("store: a record that leaves exactly 8 bytes fits, one byte more rolls") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  const std::int64_t empty = fixture.append("T", 0, {""}).end.value;  // one record without body
  const auto fill = [&](std::int64_t left) {
    const auto body = static_cast<std::size_t>(1000 - empty - left - empty);
    return fixture.append("T", 0, {std::string(body, 'x')});
  };
  SUBCASE("8 left") {
    CHECK(fill(8).end == PhysicalOffset{992});
    CHECK(fixture.append("T", 0, {"y"}).physical[0] == PhysicalOffset{1000});
  }
  SUBCASE("7 left") { CHECK(fill(7).physical[0] == PhysicalOffset{1000}); }
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0).size() == fixture.store->visible_end("T", 0).value);
}

TEST_CASE("store: a group lies in one segment, and one that cannot is refused without offsets") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {std::string(500, 'a')}).outcome);
  Queue& queue = fixture.store->queue("T", 0);
  auto batch = std::make_unique<AppendBatch>();
  batch->begin_group(queue);
  for (int i = 0; i < 5; ++i) add_record(*batch, queue, "grouped");
  const Appended grouped = append_batch(*fixture.store, std::move(batch));
  REQUIRE(grouped.outcome);
  CHECK(grouped.physical[0] == PhysicalOffset{1000});
  CHECK(grouped.end.value < 2000);
  auto large = std::make_unique<AppendBatch>();
  large->begin_group(queue);
  for (int i = 0; i < 11; ++i) add_record(*large, queue, "does not fit");
  const Appended refused = append_batch(*fixture.store, std::move(large));
  REQUIRE_FALSE(refused.outcome);
  CHECK(refused.outcome.error().code == StoreErrc::RecordTooLarge);
  CHECK(fixture.append("T", 0, {"b"}).offsets[0] == QueueOffset{6});
}

TEST_CASE("store: appends of four threads are dense per queue, and the log has their order") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 256 * 1024;
  std::mutex mutex;
  std::vector<std::pair<const Queue*, std::int64_t>> arrived;
  fixture.listener = [&](std::span<const Arrival> arrivals) {
    const std::lock_guard lock(mutex);
    for (const Arrival& arrival : arrivals) {
      arrived.emplace_back(arrival.queue, arrival.offset.value);
    }
  };
  fixture.open();
  constexpr int kThreads = 4;
  constexpr int kBatches = 200;
  constexpr QueueId kQueues = 3;
  std::atomic<int> completed{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int b = 0; b < kBatches; ++b) {
        auto batch = std::make_unique<AppendBatch>();
        for (QueueId q = 0; q < kQueues; ++q) {
          Queue& queue = fixture.store->queue("T", q);
          batch->begin_group(queue);
          add_record(*batch, queue, std::to_string(t) + ":" + std::to_string(b));
        }
        fixture.store->append(std::move(batch), [&](Result<> r, std::unique_ptr<AppendBatch>) {
          if (!r) ++failed;
          ++completed;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fixture.store->stop();
  CHECK(completed == kThreads * kBatches);
  CHECK(failed == 0);
  for (QueueId q = 0; q < kQueues; ++q) {
    const Texts bodies = fixture.bodies("T", q);
    CHECK(bodies.size() == kThreads * kBatches);
    // Each thread's own messages are in the order it sent them.
    std::vector<int> next(kThreads, 0);
    for (const std::string& body : bodies) {
      const auto thread = static_cast<std::size_t>(body[0] - '0');
      CHECK(body == std::to_string(thread) + ":" + std::to_string(next[thread]));
      ++next[thread];
    }
  }
  // Arrivals: every message once, in order per queue.
  std::map<const Queue*, std::int64_t> seen;
  for (const auto& [queue, offset] : arrived) {
    CHECK(offset == seen[queue]);
    ++seen[queue];
  }
  CHECK(seen.size() == kQueues);
  for (const auto& [queue, count] : seen) CHECK(count == kThreads * kBatches);
}

TEST_CASE("store: under sync flush nothing is visible before it is flushed") {
  StoreFixture fixture;
  fixture.config.flush_disk_type = FlushDiskType::Sync;
  fixture.config.flush_interval = std::chrono::hours(1);  // the append itself asks for it
  std::atomic<bool> early{false};
  fixture.listener = [&](std::span<const Arrival> arrivals) {
    for (const Arrival& arrival : arrivals) {
      const auto read = fixture.store->read({arrival.queue->topic(), 0, arrival.offset, 1, {}});
      const auto record = protocol::decode_record(read->records.at(0).bytes);
      const std::int64_t end = record->physical_offset.value + record->total_bytes;
      if (fixture.store->flushed().value().value < end) early = true;
    }
  };
  fixture.open();
  for (int i = 0; i < 20; ++i) {
    const Appended appended = fixture.append("T", 0, {"m"});
    REQUIRE(wait_for(fixture.store->flushed(), FlushedOffset{appended.end.value}));
  }
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.store->visible_end("T", 0) == QueueOffset{20});
  CHECK_FALSE(early);
}

TEST_CASE("store: async flush syncs by itself within its interval") {
  StoreFixture fixture;
  fixture.open();
  const Appended appended = fixture.append("T", 0, {"m"});
  CHECK(wait_for(fixture.store->flushed(), FlushedOffset{appended.end.value}));
}

TEST_CASE("store: a record is found by its physical offset, and only there") {
  StoreFixture fixture;
  fixture.open();
  const Appended appended = fixture.append("T", 0, {"a", "b"});
  const auto record = fixture.store->record_at(appended.physical[1]);
  REQUIRE(record);
  CHECK(as_text(protocol::decode_record(record->bytes)->body) == "b");
  CHECK(fixture.store->record_at(appended.physical[1] + 1).error().code ==
        StoreErrc::RecordMalformed);
  CHECK(fixture.store->record_at(appended.end).error().code == StoreErrc::OffsetOutOfRange);
  CHECK(fixture.store->record_at(PhysicalOffset{-1}).error().code == StoreErrc::OffsetOutOfRange);
}

TEST_CASE("store: before start and after stop appends fail") {
  StoreFixture fixture;
  auto opened = MessageStore::open(fixture.config, *fixture.files, fixture.clock);
  REQUIRE(opened);
  fixture.store = std::move(*opened);
  CHECK(fixture.append("T", 0, {"a"}).outcome.error().code == StoreErrc::Stopped);
  REQUIRE(fixture.store->start());
  CHECK(fixture.append("T", 0, {"a"}).outcome);
  fixture.store->stop();
  CHECK(fixture.append("T", 0, {"a"}).outcome.error().code == StoreErrc::Stopped);
}

}  // namespace rmq::storage
