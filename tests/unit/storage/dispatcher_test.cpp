#include "storage/dispatcher.h"

#include <latch>
#include <thread>

#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::add_record;
using test::append_batch;
using test::StoreFixture;

TEST_CASE("dispatch: what does not fit the hand-over is read from the log") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 512 * 1024;
  std::latch may_go(1);
  std::atomic<std::int64_t> arrived{0};
  std::atomic<bool> wrong{false};
  fixture.listener = [&](std::span<const Arrival> arrivals) {
    may_go.wait();
    for (const Arrival& arrival : arrivals) {
      if (arrival.offset.value != arrived || arrival.tag_code != java_hash("tag")) wrong = true;
      ++arrived;
    }
  };
  fixture.open();
  constexpr std::int64_t kBatches = 20;
  constexpr std::int64_t kRecords = 5000;
  static_assert(kBatches * kRecords >
                static_cast<std::int64_t>(Dispatcher::kHandOverMax) + 2 * kRecords);
  Queue& queue = fixture.store->queue("T", 0);
  for (std::int64_t b = 0; b < kBatches; ++b) {
    auto batch = std::make_unique<AppendBatch>();
    for (std::int64_t r = 0; r < kRecords; ++r) {
      batch->begin_group(queue);
      add_record(*batch, queue, "m", "tag");
    }
    REQUIRE(append_batch(*fixture.store, std::move(batch)).outcome);
  }
  may_go.count_down();
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.store->visible_end("T", 0).value == kBatches * kRecords);
  CHECK(arrived == kBatches * kRecords);
  CHECK_FALSE(wrong);
  CHECK(fixture.bodies("T", 0).size() == kBatches * kRecords);
}

TEST_CASE("dispatch: what is read from the log ends with the last record that is confirmed") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 16 * 1024 * 1024;
  fixture.open();
  fixture.store->confirm(ConfirmedOffset{0});
  // So many that the last ones are not handed over.
  constexpr std::int64_t kRecords = 5000;
  constexpr std::int64_t kBatches = static_cast<std::int64_t>(Dispatcher::kHandOverMax) / 5000 + 1;
  test::Appended last;
  for (std::int64_t b = 0; b < kBatches; ++b) {
    auto batch = std::make_unique<AppendBatch>();
    Queue& queue = fixture.store->queue("T", 0);
    for (std::int64_t r = 0; r < kRecords; ++r) {
      batch->begin_group(queue);
      add_record(*batch, queue, "m");
    }
    last = append_batch(*fixture.store, std::move(batch));
    REQUIRE(last.outcome);
  }
  const std::int64_t before = (kBatches - 1) * kRecords;
  for (const std::size_t records : {1UL, 2UL, 10UL}) {
    const PhysicalOffset end = last.physical[records];
    fixture.store->confirm(ConfirmedOffset{end.value + 1});
    REQUIRE(test::wait_for(fixture.store->dispatched(), DispatchedOffset{end.value}));
    CHECK(fixture.store->visible_end("T", 0).value == before + static_cast<std::int64_t>(records));
  }
  fixture.store->confirm(ConfirmedOffset{last.end.value});
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.store->visible_end("T", 0).value == kBatches * kRecords);
}

// The append wakes the dispatcher only when it may go on then.
TEST_CASE("dispatch: goes on when an append and a confirm meet") {
  StoreFixture fixture;
  fixture.open();
  std::int64_t sent = 0;
  for (int round = 0; round < 1000; ++round) {
    fixture.store->confirm(ConfirmedOffset{fixture.store->appended().value().value});
    std::latch both(2);
    const std::jthread other([&] {
      both.arrive_and_wait();
      fixture.store->confirm(MessageStore::kAllConfirmed);
    });
    both.arrive_and_wait();
    REQUIRE(fixture.append("T", 0, {"m"}).outcome);
    ++sent;
    REQUIRE(fixture.wait_dispatched());
    REQUIRE(fixture.store->visible_end("T", 0).value == sent);
  }
}

TEST_CASE("dispatch: a record that cannot be read stops it, and nothing behind it is passed over") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 16 * 1024 * 1024;
  std::latch may_go(1);
  std::promise<std::error_code> stopped;
  fixture.listener = [&](std::span<const Arrival>) { may_go.wait(); };
  fixture.fatal = [&](const Error& why) { stopped.set_value(why.code); };
  fixture.open();
  // So many that the last ones are read from the log.
  constexpr std::int64_t kRecords = static_cast<std::int64_t>(Dispatcher::kHandOverMax);
  std::int64_t damaged_at = 0;
  for (int turn = 0; turn < 3; ++turn) {
    auto batch = std::make_unique<AppendBatch>();
    Queue& queue = fixture.store->queue("T", 0);
    for (std::int64_t r = 0; r < kRecords / 2 + 1; ++r) {
      batch->begin_group(queue);
      add_record(*batch, queue, "m");
    }
    const test::Appended appended = append_batch(*fixture.store, std::move(batch));
    REQUIRE(appended.outcome);
    damaged_at = appended.physical[7].value;
  }
  test::overwrite(fixture.segment_path(0), damaged_at + 4, as_bytes("no magic"));
  may_go.count_down();
  CHECK(stopped.get_future().get() == StoreErrc::ReadOnly);
  // A turn of dispatch is seen whole or not at all.
  const std::int64_t visible = fixture.store->visible_end("T", 0).value;
  CHECK(visible > 0);
  CHECK(visible <= 2 * (kRecords / 2 + 1) + 7);
  CHECK(fixture.append("T", 0, {"next"}).outcome.error().code == StoreErrc::ReadOnly);
}

TEST_CASE("dispatch: a queue that is shorter than the log says stops it, nothing is misplaced") {
  test::TempDirectory directory;
  StoreConfig config;
  config.root_directory = directory.path();
  FileCache cache(FileSystem::posix(), 4);
  ConsumeQueueSet queues(cache, Layout(config), 20 * 10);
  QueueBuilder builder(queues);
  std::vector<const DispatchEntry*> added;
  StoredQueue& queue = queues.get("T", 0);
  const auto entry = [&](std::int64_t number) {
    return DispatchEntry{&queue, PhysicalOffset{number * 100}, QueueOffset{number}, 100, 7, 1};
  };
  const std::vector<DispatchEntry> first{entry(0), entry(1)};
  REQUIRE(builder.apply(first, added));
  CHECK(added.size() == 2);
  added.clear();
  const std::vector<DispatchEntry> gap{entry(2), entry(4)};
  const Result<> refused = builder.apply(gap, added);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == StoreErrc::Corrupt);
  CHECK(queue.entries.end() == QueueOffset{2});
  added.clear();
  const std::vector<DispatchEntry> again{entry(1), entry(2), entry(2), entry(3)};
  REQUIRE(builder.apply(again, added));
  CHECK(added.size() == 2);
  CHECK(queue.entries.end() == QueueOffset{4});
}

TEST_CASE("dispatch: tag codes as Java makes them") {
  test::TempDirectory directory;
  StoreConfig config;
  config.root_directory = directory.path();
  FileCache cache(FileSystem::posix(), 4);
  ConsumeQueueSet queues(cache, Layout(config), 20 * 10);
  const EntryMaker maker(queues, DelayLevels::parse("1s 5s 10s").value());
  protocol::MessageRecord record;
  record.topic = "T";
  record.total_bytes = 100;
  record.store_timestamp_ms = 50'000;
  CHECK(maker.make(record)->tag_code == 0);
  record.properties = "TAGS\1TagA\2KEYS\1k\2";
  CHECK(maker.make(record)->tag_code == java_hash("TagA"));
  record.topic = "SCHEDULE_TOPIC_XXXX";
  record.properties = "DELAY\0012\2TAGS\1TagA\2";
  CHECK(maker.make(record)->tag_code == 55'000);
  record.properties = "DELAY\00199\2";
  CHECK(maker.make(record)->tag_code == 60'000);
  record.sys_flag = protocol::kSysFlagTransactionPrepared;
  CHECK(maker.make(record)->queue == nullptr);
  record.sys_flag = protocol::kSysFlagTransactionRollback;
  CHECK(maker.make(record)->queue == nullptr);
  record.sys_flag = protocol::kSysFlagTransactionCommit;
  CHECK(maker.make(record)->queue != nullptr);
  record.topic = "../up";
  CHECK(maker.make(record).error().code == StoreErrc::RecordMalformed);
}

}  // namespace rmq::storage
