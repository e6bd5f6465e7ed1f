// A running store's log that is cut, with all that belongs to it.
#include <limits>
#include <numeric>
#include <thread>

#include "tests/support/failing_file_system.h"
#include "tests/support/reigns.h"

namespace rmq::storage {

using test::Appended;
using test::change_reign;
using test::diverged_files;
using test::fill_queues;
using test::kReignOver;
using test::StoreFixture;
using test::StorePair;
using test::wait_for;
using Texts = std::vector<std::string>;
using Reign = MessageStore::Reign;

namespace {

std::size_t found_by_key(const MessageStore& store, const std::string& key) {
  QueryRequest request;
  request.topic = "T";
  request.key = key;
  request.end_ms = std::numeric_limits<std::int64_t>::max();
  const auto found = store.query(request);
  REQUIRE(found);
  return found->records.size();
}

Appended append_with_key(StoreFixture& fixture, const std::string& body) {
  auto batch = std::make_unique<AppendBatch>();
  Queue& queue = fixture.store->queue("T", 0);
  batch->begin_group(queue);
  test::add_record(*batch, queue, body, "tag", "key-" + body);
  return test::append_batch(*fixture.store, std::move(batch));
}

}  // namespace

TEST_CASE("cut: what lies behind is gone, kept beside, and others come in its place") {
  enum class Kind { OneSegment, Several, SyncFlush, WithoutIndex };
  for (const Kind kind : {Kind::OneSegment, Kind::Several, Kind::SyncFlush, Kind::WithoutIndex}) {
    CAPTURE(static_cast<int>(kind));
    const bool next_leads = kind == Kind::OneSegment || kind == Kind::SyncFlush;
    StoreFixture fixture;
    fixture.config.block_checksums_enable = true;
    fixture.config.block_checksums_interval = std::chrono::milliseconds(1);
    if (kind == Kind::Several) fixture.config.commit_log_segment_bytes = 1000;
    if (kind == Kind::SyncFlush) fixture.config.flush_disk_type = FlushDiskType::Sync;
    fixture.config.message_index_enable = kind != Kind::WithoutIndex;
    fixture.open();
    Queue& handle = fixture.store->queue("T", 0);
    const auto ends = fill_queues(fixture, 40, "old");
    const std::int64_t old_end = ends.back().value;
    const PhysicalOffset cut = ends[10];
    const Bytes behind = [&] {
      Bytes bytes;
      for (PhysicalOffset at = cut;;) {
        const auto read = fixture.store->read_log(at, 1 << 20, MayWait::Yes);
        REQUIRE(read);
        if (read->bytes.empty()) return bytes;
        bytes.insert(bytes.end(), read->bytes.begin(), read->bytes.end());
        at += static_cast<std::int64_t>(read->bytes.size());
      }
    }();
    const auto pinned = fixture.store->read_log(ends[38], 100, MayWait::Yes);
    REQUIRE(pinned);
    change_reign(*fixture.store, next_leads ? Reign::Leading : Reign::Following, cut);
    CHECK(fixture.store->appended().value().value == cut.value);
    CHECK(fixture.store->flushed().value().value == cut.value);
    CHECK(fixture.store->dispatched().value().value == cut.value);
    CHECK(fixture.bodies("T", 0) == Texts{"old0", "old2", "old4", "old6", "old8", "old10"});
    CHECK(fixture.bodies("T", 1) == Texts{"old1", "old3", "old5", "old7", "old9"});
    CHECK(fixture.store->read_log(PhysicalOffset{cut.value + 1}, 1, MayWait::Yes).error().code ==
          StoreErrc::OffsetOutOfRange);
    // What somebody still holds can be touched.
    CHECK(std::accumulate(pinned->bytes.begin(), pinned->bytes.end(), 0,
                          [](int sum, std::byte b) { return sum + static_cast<int>(b); }) >= 0);
    const Texts kept = diverged_files(fixture);
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].starts_with(position_file_name(cut.value) + "-" + position_file_name(old_end)));
    CHECK(StorePair::contents(fixture.layout().diverged() + "/" + kept[0]) == behind);
    if (!next_leads) change_reign(*fixture.store, Reign::Leading);
    CHECK(&fixture.store->queue("T", 0) == &handle);
    for (int i = 0; i < 30; ++i) {
      const Appended appended = fixture.append("T", 0, {"new" + std::to_string(i)});
      REQUIRE(appended.outcome);
      CHECK(appended.offsets[0] == QueueOffset{6 + i});
    }
    for (const char* end : {"runs", "killed", "stopped"}) {
      CAPTURE(end);
      if (end == std::string("killed")) {
        fixture.kill();
        fixture.open();
      }
      if (end == std::string("stopped")) fixture.restart();
      REQUIRE(fixture.wait_dispatched());
      const Texts bodies = fixture.bodies("T", 0);
      REQUIRE(bodies.size() == 36);
      CHECK(bodies[5] == "old10");
      CHECK(bodies[6] == "new0");
      CHECK(bodies[35] == "new29");
      CHECK(fixture.bodies("T", 1).size() == 5);
      CHECK(fixture.store->damaged_blocks() == 0);
    }
  }
}

TEST_CASE("cut: a process that dies right behind it has nothing of it left") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 2000;
  fixture.open();
  const auto ends = fill_queues(fixture, 40, "old");
  for (const std::size_t keep : {30UL, 12UL, 3UL}) {
    change_reign(*fixture.store, Reign::Leading, ends[keep - 1]);
    fixture.kill();
    fixture.open();
    CHECK(fixture.store->appended().value().value == ends[keep - 1].value);
    CHECK(fixture.bodies("T", 0).size() == (keep + 1) / 2);
    CHECK(fixture.bodies("T", 1).size() == keep / 2);
  }
  CHECK(diverged_files(fixture).size() == 3);
}

TEST_CASE("cut: everything, and a log that begins elsewhere follows") {
  StorePair pair;
  fill_queues(pair.leader, 3, "m");
  SUBCASE("of which queues have something") {
    REQUIRE(pair.feed(0, pair.log(0), 100));
    REQUIRE(pair.follower.wait_dispatched());
  }
  SUBCASE("of which queues have nothing yet") {
    pair.follower.store->confirm(ConfirmedOffset{0});
    REQUIRE(pair.feed(0, pair.log(0), 100));
  }
  change_reign(*pair.follower.store, Reign::Following, PhysicalOffset{0});
  pair.follower.store->confirm(MessageStore::kAllConfirmed);
  CHECK(pair.follower_end() == 0);
  CHECK(pair.follower.store->visible_end("T", 0) == QueueOffset{0});
  pair.produce();
  fill_queues(pair.leader, 4, "late");
  const std::int64_t begin = pair.leader.config.commit_log_segment_bytes;
  REQUIRE(pair.feed(begin, pair.log(begin), 5000));
  REQUIRE(pair.follower.wait_dispatched());
  for (const auto& [topic, queue] : pair.leader.store->queues()) {
    const QueueOffset first = pair.follower.store->min_offset(topic, queue);
    if (topic == "T") CHECK(first > QueueOffset{0});
    CHECK(pair.follower.bodies(topic, queue, first.value) ==
          pair.leader.bodies(topic, queue, first.value));
  }
}

TEST_CASE("cut: only at the end of a record, else nothing changes") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  const auto ends = fill_queues(fixture, 20, "m");
  const std::int64_t end = ends.back().value;
  fixture.store->end_reign(kReignOver);
  const auto refused = [&](std::int64_t at) {
    const Result<> begun = fixture.store->begin_reign(Reign::Leading, PhysicalOffset{at});
    REQUIRE_FALSE(begun);
    CHECK(fixture.store->appended().value().value == end);
    CHECK(fixture.append("T", 0, {"late"}).outcome.error().code == StoreErrc::NoReign);
    return begun.error().code;
  };
  CHECK(refused(ends[7].value + 1) == StoreErrc::RecordMalformed);
  CHECK(refused(ends[7].value - 1) == StoreErrc::RecordMalformed);
  CHECK(refused(1) == StoreErrc::RecordMalformed);
  CHECK(refused(end + 1) == StoreErrc::OffsetOutOfRange);
  CHECK(refused(-1) == StoreErrc::OffsetOutOfRange);
  CHECK(diverged_files(fixture).empty());
  CHECK(fixture.bodies("T", 0).size() == 10);
  SUBCASE("not at all") { REQUIRE(fixture.store->begin_reign(Reign::Leading)); }
  SUBCASE("a segment's begin is one") {
    REQUIRE(fixture.store->begin_reign(Reign::Leading, PhysicalOffset{1000}));
  }
  SUBCASE("and so is a blank's") {
    std::int64_t blank = 0;
    for (const PhysicalOffset at : ends) blank = at.value < 1000 ? at.value : blank;
    REQUIRE(fixture.store->begin_reign(Reign::Leading, PhysicalOffset{blank}));
  }
  REQUIRE(fixture.append("T", 0, {"next"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0).back() == "next");
}

TEST_CASE("cut: messages are found by key before it, and in its place") {
  StoreFixture fixture;
  fixture.config.index_entries_per_file = 16;
  fixture.open();
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < 60; ++i)
    ends.push_back(append_with_key(fixture, "old" + std::to_string(i)).end);
  REQUIRE(fixture.wait_dispatched());
  const auto check = [&](int old, int fresh) {
    const std::int64_t end = fixture.store->appended().value().value;
    REQUIRE(wait_for(fixture.store->indexed(), IndexedOffset{end}));
    for (int i = 0; i < 60; ++i) {
      CAPTURE(i);
      CHECK(found_by_key(*fixture.store, "key-old" + std::to_string(i)) == (i < old ? 1 : 0));
      CHECK(found_by_key(*fixture.store, "key-new" + std::to_string(i)) == (i < fresh ? 1 : 0));
    }
  };
  change_reign(*fixture.store, Reign::Leading, ends[49]);
  check(50, 0);
  change_reign(*fixture.store, Reign::Leading, ends[20]);
  check(21, 0);
  for (int i = 0; i < 30; ++i) REQUIRE(append_with_key(fixture, "new" + std::to_string(i)).outcome);
  check(21, 30);
  fixture.kill();
  fixture.open();
  check(21, 30);
}

TEST_CASE("cut: deleted messages stay so, and new ones behind the cut are not") {
  StoreFixture fixture;
  fixture.open();
  const auto ends = fill_queues(fixture, 10, "m");
  REQUIRE(fixture.store->delete_messages("T", ends[7]));
  CHECK(fixture.store->min_offset("T", 0) == QueueOffset{4});
  change_reign(*fixture.store, Reign::Leading, ends[3]);
  CHECK(fixture.store->delete_messages("T", ends[7]).error().code == StoreErrc::OffsetOutOfRange);
  REQUIRE(fixture.append("T", 0, {"new"}).offsets[0] == QueueOffset{2});
  REQUIRE(fixture.wait_dispatched());
  for (const bool again : {false, true}) {
    if (again) {
      fixture.kill();
      fixture.open();
    }
    CHECK(fixture.store->min_offset("T", 0) == QueueOffset{2});
    CHECK(fixture.bodies("T", 0, 2) == Texts{"new"});
  }
}

TEST_CASE("cut: a queue goes back behind files that are gone with deleted messages") {
  for (const int last : {20, 19}) {  // within a file of the queue, and at the end of one
    CAPTURE(last);
    StoreFixture fixture;
    fixture.config.consume_queue_file_bytes = 20 * 4;
    fixture.config.clean_resource_interval = std::chrono::milliseconds(1);
    fixture.config.commit_log_segment_bytes = 1000;
    fixture.config.delete_when = "";
    fixture.open();
    std::vector<PhysicalOffset> ends;
    for (int i = 0; i < 40; ++i) {
      if (i == 12) fixture.clock.advance(std::chrono::hours(100));
      ends.push_back(fixture.append("T", 0, {"m"}).end);
    }
    REQUIRE(fixture.wait_dispatched());
    REQUIRE(fixture.store->delete_messages("T", ends[35]));
    // With the first file of the log all files go that the queue has of deleted messages.
    // Those that come later, because the queue was in memory only, go later.
    const auto exists = [&](int first_entry) {
      const std::string name = position_file_name(20 * first_entry);
      return *FileSystem::posix().exists(fixture.layout().consume_queue("T", 0) + "/" + name);
    };
    fixture.store->delete_expired();
    while (!exists(36) || exists(32) || exists(28)) std::this_thread::yield();
    REQUIRE(fixture.store->min_physical() <= ends[static_cast<std::size_t>(last)]);
    change_reign(*fixture.store, Reign::Leading, ends[static_cast<std::size_t>(last)]);
    CHECK(fixture.store->visible_end("T", 0) == QueueOffset{last + 1});
    CHECK(fixture.store->min_offset("T", 0) == QueueOffset{last + 1});
    fixture.kill();
    fixture.open();
    CHECK(fixture.append("T", 0, {"new"}).offsets[0] == QueueOffset{last + 1});
    REQUIRE(fixture.wait_dispatched());
    CHECK(fixture.bodies("T", 0, last + 1) == Texts{"new"});
  }
}

TEST_CASE("cut: what is not confirmed keeps its numbers, and is not shown by it") {
  StorePair pair;
  pair.follower.store->confirm(ConfirmedOffset{0});
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < 6; ++i)
    ends.push_back(pair.leader.append("T", 0, {"m" + std::to_string(i)}).end);
  REQUIRE(pair.feed(0, pair.log(0), 1000));
  MessageStore& store = *pair.follower.store;
  store.confirm(ConfirmedOffset{ends[1].value});
  REQUIRE(wait_for(store.dispatched(), DispatchedOffset{ends[1].value}));
  change_reign(store, Reign::Leading, ends[3]);
  CHECK(store.visible_end("T", 0) == QueueOffset{2});
  const Appended own = pair.follower.append("T", 0, {"own"});
  CHECK(own.offsets[0] == QueueOffset{4});
  store.confirm(ConfirmedOffset{own.end.value});
  REQUIRE(pair.follower.wait_dispatched());
  CHECK(pair.follower.bodies("T", 0) == Texts{"m0", "m1", "m2", "m3", "own"});
}

TEST_CASE("cut: store times go on from the last record that is left") {
  StoreFixture fixture;
  fixture.open();
  fixture.clock.advance(std::chrono::hours(10));
  const Appended first = fixture.append("T", 0, {"a"});
  fixture.clock.advance(std::chrono::hours(10));
  const Appended second = fixture.append("T", 0, {"b"});
  fixture.clock.advance(-std::chrono::hours(5));
  change_reign(*fixture.store, Reign::Leading, first.end);
  const Appended third = fixture.append("T", 0, {"c"});
  CHECK(third.store_timestamp_ms > first.store_timestamp_ms);
  CHECK(third.store_timestamp_ms < second.store_timestamp_ms);
}

TEST_CASE("cut: what cannot be kept is not cut off") {
  struct Failing : StoreFixture {
    Failing() { files = &failing; }
    ~Failing() { kill(); }
    test::FailingFileSystem failing;
  } fixture;
  SUBCASE("a full disk") {
    fixture.open();
    const auto ends = fill_queues(fixture, 10, "m");
    fixture.failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "diverged", 1);
    fixture.store->end_reign(kReignOver);
    const Result<> begun = fixture.store->begin_reign(Reign::Following, ends[3]);
    REQUIRE_FALSE(begun);
    CHECK(begun.error().code == StoreErrc::DiskFull);
    CHECK(begun.error().message().find("diverged") != std::string::npos);
    CHECK(diverged_files(fixture).empty());
    CHECK(fixture.bodies("T", 0).size() == 5);
    CHECK(fixture.store->appended().value().value == ends[9].value);
    // There is room again.
    REQUIRE(fixture.store->begin_reign(Reign::Following, ends[3]));
    CHECK(fixture.bodies("T", 0).size() == 2);
  }
  SUBCASE("more than is to be kept") {
    fixture.config.diverged_bytes_max = 100;
    fixture.open();
    const auto ends = fill_queues(fixture, 10, "m");
    fixture.store->end_reign(kReignOver);
    const Result<> begun = fixture.store->begin_reign(Reign::Following, ends[3]);
    REQUIRE_FALSE(begun);
    CHECK(begun.error().code == StoreErrc::DivergedTooLong);
    CHECK(fixture.bodies("T", 0).size() == 5);
    REQUIRE(fixture.store->begin_reign(Reign::Leading));
    REQUIRE(fixture.append("T", 0, {"next"}).outcome);
  }
  SUBCASE("unless nothing is to be kept") {
    fixture.config.diverged_bytes_max = 0;
    fixture.open();
    const auto ends = fill_queues(fixture, 10, "m");
    change_reign(*fixture.store, Reign::Leading, ends[3]);
    CHECK(diverged_files(fixture).empty());
    CHECK(fixture.bodies("T", 0).size() == 2);
  }
}

TEST_CASE("cut: a disk that fails in the middle of it ends the store") {
  struct Failing : StoreFixture {
    Failing() { files = &failing; }
    ~Failing() { kill(); }
    test::FailingFileSystem failing;
  } fixture;
  std::atomic<int> fatal{0};
  fixture.fatal = [&](const Error&) { ++fatal; };
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.open();
  const auto ends = fill_queues(fixture, 10, "m");
  REQUIRE(fixture.wait_flushed());
  fixture.failing.plan(test::FileCall::Sync, 1, std::errc::io_error, "commitlog", 1);
  fixture.store->end_reign(kReignOver);
  CHECK(fixture.store->begin_reign(Reign::Leading, ends[3]).error().code == StoreErrc::ReadOnly);
  CHECK(fatal == 1);
  CHECK(fixture.append("T", 0, {"late"}).outcome.error().code == StoreErrc::ReadOnly);
  CHECK(fixture.store->begin_reign(Reign::Leading).error().code == StoreErrc::ReadOnly);
  fixture.store->stop();
  fixture.kill();
  fixture.files = &FileSystem::posix();
  fixture.open();
  CHECK(fixture.bodies("T", 0).size() >= 2);
}

TEST_CASE("cut: readers meanwhile get what is there, or are told to try again") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 4000;
  fixture.open();
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  std::atomic<int> wrong{0};
  const auto ends = fill_queues(fixture, 10, "m");
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!done) {
        ReadRequest request;
        request.topic = "T";
        request.from = QueueOffset{0};
        const auto read = fixture.store->read(request);
        const bool fine =
            read ? read->status == ReadStatus::Found : read.error().code == StoreErrc::Truncating;
        const auto raw = fixture.store->read_log(PhysicalOffset{0}, 100, MayWait::Yes);
        const bool raw_fine = raw || raw.error().code == StoreErrc::Truncating;
        if (!fine || !raw_fine) ++wrong;
        ++reads;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    fill_queues(fixture, 60, "more");
    change_reign(*fixture.store, i % 2 == 0 ? Reign::Leading : Reign::Following, ends.back());
    if (i % 2 != 0) change_reign(*fixture.store, Reign::Leading);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(reads > 0);
  CHECK(fixture.bodies("T", 0).size() == 5);
}

}  // namespace rmq::storage
