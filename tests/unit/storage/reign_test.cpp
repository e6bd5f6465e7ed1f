// Reigns that end and begin in a running store, and the log that is cut in between.
#include <limits>
#include <numeric>
#include <thread>

#include "storage/block_sums.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/store_pair.h"

namespace rmq::storage {

using test::Appended;
using test::StoreFixture;
using test::StorePair;
using test::wait_for;
using Texts = std::vector<std::string>;
using Reign = MessageStore::Reign;

namespace {

constexpr std::int64_t kAllConfirmed = std::numeric_limits<std::int64_t>::max();
const Error kOver{std::make_error_code(std::errc::operation_canceled), "another one is master"};

void change(MessageStore& store, Reign reign, std::optional<PhysicalOffset> cut = {}) {
  store.end_reign(kOver);
  const Result<> begun = store.begin_reign(reign, cut);
  REQUIRE_MESSAGE(begun.has_value(), (begun ? "" : begun.error().message()));
}

Texts diverged_files(const StoreFixture& fixture) {
  return *FileSystem::posix().list(fixture.layout().diverged());
}

// Some messages in two queues; where each ends.
std::vector<PhysicalOffset> fill(StoreFixture& fixture, int count, const std::string& what) {
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < count; ++i) {
    const Appended appended = fixture.append("T", i % 2, {what + std::to_string(i)}, "tag");
    REQUIRE(appended.outcome);
    ends.push_back(appended.end);
  }
  REQUIRE(fixture.wait_dispatched());
  return ends;
}

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

TEST_CASE("reign: when it ends nothing is taken, waiters are told, and reading goes on") {
  StoreFixture fixture;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.open();
  const std::int64_t reign = fixture.store->reign();
  fill(fixture, 4, "m");
  const std::int64_t end = fixture.store->appended().value().value;
  std::vector<std::error_code> told;
  const auto note = [&](Result<> r) { told.push_back(r ? std::error_code() : r.error().code); };
  fixture.store->appended().when_at_least(AppendedOffset{end + 1}, note);
  fixture.store->flushed().when_at_least(FlushedOffset{end}, note);
  fixture.store->dispatched().when_at_least(DispatchedOffset{end + 1}, note);
  fixture.store->indexed().when_at_least(IndexedOffset{end + 1}, note);
  fixture.store->end_reign(kOver);
  CHECK(told == std::vector<std::error_code>(4, kOver.code));
  CHECK(fixture.store->reign() > reign);
  CHECK(fixture.append("T", 0, {"late"}).outcome.error().code == StoreErrc::NoReign);
  CHECK(fixture.append("T", 0, {"late"}).outcome.error().detail.find("another one") !=
        std::string::npos);
  CHECK(fixture.store->append_log(PhysicalOffset{end}, as_bytes("x")).error().code ==
        StoreErrc::NoReign);
  CHECK(fixture.bodies("T", 0) == Texts{"m0", "m2"});
  // Flushing goes on, too; who asks for what is not there yet does not wait.
  fixture.store->request_flush();
  while (fixture.store->flushed().value().value < end) std::this_thread::yield();
  fixture.store->appended().when_at_least(AppendedOffset{end + 1}, note);
  CHECK(told.size() == 5);
  fixture.store->end_reign(kOver);  // there is none
  REQUIRE(fixture.store->begin_reign(Reign::Leading));
  const Appended next = fixture.append("T", 0, {"m4"});
  CHECK(next.offsets[0] == QueueOffset{2});
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0) == Texts{"m0", "m2", "m4"});
  fixture.restart();
  CHECK(fixture.bodies("T", 0) == Texts{"m0", "m2", "m4"});
}

TEST_CASE("reign: an append says in which it was") {
  StoreFixture fixture;
  fixture.open();
  const auto reign_of = [&] {
    auto batch = std::make_unique<AppendBatch>();
    Queue& queue = fixture.store->queue("T", 0);
    batch->begin_group(queue);
    test::add_record(*batch, queue, "m");
    std::promise<std::int64_t> told;
    fixture.store->append(std::move(batch), [&](Result<>, std::unique_ptr<AppendBatch> done) {
      told.set_value(done->reign());
    });
    return told.get_future().get();
  };
  const std::int64_t first = reign_of();
  CHECK(first == fixture.store->reign());
  change(*fixture.store, Reign::Leading);
  CHECK(reign_of() == fixture.store->reign());
  CHECK(fixture.store->reign() != first);
}

TEST_CASE("reign: two stores change places, again and again") {
  StorePair pair;
  StoreFixture* leader = &pair.leader;
  StoreFixture* follower = &pair.follower;
  for (int turn = 0; turn < 6; ++turn) {
    CAPTURE(turn);
    for (int i = 0; i < 40; ++i) {
      const Texts bodies(1 + i % 3, std::to_string(turn) + "/" + std::to_string(i) +
                                        std::string(static_cast<std::size_t>(i * 37 % 2000), 'x'));
      REQUIRE(leader->append("T" + std::to_string(i % 3), i % 2, bodies, "tag").outcome);
    }
    REQUIRE(leader->wait_dispatched());
    const auto copy = [&] {
      for (PhysicalOffset at = follower->store->resume_log();;) {
        const auto read = leader->store->read_log(at, 3000, MayWait::Yes);
        REQUIRE(read);
        if (read->bytes.empty()) return;
        REQUIRE(follower->store->append_log(at, read->bytes));
        at += static_cast<std::int64_t>(read->bytes.size());
      }
    };
    copy();
    // No waiting for dispatch: beginning to lead has to see to that.
    change(*follower->store, Reign::Leading);
    for (const auto& [topic, queue] : leader->store->queues()) {
      CHECK(follower->bodies(topic, queue) == leader->bodies(topic, queue));
    }
    change(*leader->store, Reign::Following);
    CHECK(leader->append("T0", 0, {"m"}).outcome.error().code == StoreErrc::Following);
    CHECK(follower->store->append_log(PhysicalOffset{0}, as_bytes("x")).error().code ==
          StoreErrc::Stopped);
    std::swap(leader, follower);
  }
  CHECK(leader->store->appended().value().value > 5 * leader->config.commit_log_segment_bytes);
  CHECK(diverged_files(*leader).empty());
  pair.leader.store->stop();
  pair.follower.store->stop();
  const std::int64_t end = pair.leader_end();
  for (std::int64_t base = 0; base < end; base += pair.leader.config.commit_log_segment_bytes) {
    CHECK(StorePair::contents(pair.leader.segment_path(base)) ==
          StorePair::contents(pair.follower.segment_path(base)));
  }
}

TEST_CASE("reign: a slave that becomes master gives the next numbers, and shows no more than is "
          "confirmed") {
  StorePair pair;
  pair.follower.store->confirm(ConfirmedOffset{0});
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < 5; ++i) ends.push_back(pair.leader.append("T", 0, {"m" + std::to_string(i)}).end);
  const Bytes log = pair.log(0);
  REQUIRE(pair.feed(0, log, 77));
  MessageStore& store = *pair.follower.store;
  store.confirm(ConfirmedOffset{ends[1].value});
  store.end_reign(kOver);
  store.confirm(ConfirmedOffset{ends[3].value});  // an acknowledgement of before
  SUBCASE("as far as it was known") {
    REQUIRE(store.begin_reign(Reign::Leading));
    CHECK(store.visible_end("T", 0) == QueueOffset{2});
  }
  SUBCASE("as far as is said with the reign") {
    REQUIRE(store.begin_reign(Reign::Leading, {}, ConfirmedOffset{ends[2].value + 1}));
    CHECK(store.visible_end("T", 0) == QueueOffset{3});
  }
  SUBCASE("all of it") {
    REQUIRE(store.begin_reign(Reign::Leading, {}, ConfirmedOffset{kAllConfirmed}));
    CHECK(store.visible_end("T", 0) == QueueOffset{5});
  }
  const Appended own = pair.follower.append("T", 0, {"own"});
  CHECK(own.offsets[0] == QueueOffset{5});
  store.confirm(ConfirmedOffset{own.end.value});
  REQUIRE(pair.follower.wait_dispatched());
  CHECK(pair.follower.bodies("T", 0) == Texts{"m0", "m1", "m2", "m3", "m4", "own"});
}

TEST_CASE("reign: what the master had confirmed beyond the slave's end does not confirm the slave's "
          "own records") {
  StorePair pair;
  pair.leader.append("T", 0, {"m"});
  REQUIRE(pair.feed(0, pair.log(0), 50));
  MessageStore& store = *pair.follower.store;
  store.confirm(ConfirmedOffset{1 << 20});
  change(store, Reign::Leading);
  const Appended own = pair.follower.append("T", 0, {"own"});
  REQUIRE(pair.follower.wait_flushed());
  CHECK(store.visible_end("T", 0) == QueueOffset{1});
  store.confirm(ConfirmedOffset{own.end.value});
  REQUIRE(pair.follower.wait_dispatched());
  CHECK(store.visible_end("T", 0) == QueueOffset{2});
}

TEST_CASE("reign: a log that ends with a segment is led on in the next one") {
  StorePair pair;
  pair.produce(60);
  const std::int64_t segment = pair.leader.config.commit_log_segment_bytes;
  REQUIRE(pair.leader_end() > segment);
  REQUIRE(pair.feed(0, ByteView(pair.log(0)).first(static_cast<std::size_t>(segment)), 4096));
  CHECK(pair.follower_end() == segment);
  change(*pair.follower.store, Reign::Leading);
  const Appended own = pair.follower.append("Own", 0, {"own"});
  REQUIRE(own.outcome);
  CHECK(own.physical[0].value == segment);
  REQUIRE(pair.follower.wait_dispatched());
  CHECK(pair.follower.bodies("Own", 0) == Texts{"own"});
  pair.follower.kill();
  pair.follower.open();
  CHECK(pair.follower.bodies("Own", 0) == Texts{"own"});
}

TEST_CASE("reign: a switch without a cut takes no time, whatever the log") {
  StorePair pair;
  pair.produce(60);
  pair.catch_up();
  const std::int64_t begin = pair.follower_end();
  using Clock = std::chrono::steady_clock;
  Clock::duration best = std::chrono::hours(1);
  for (int i = 0; i < 5; ++i) {
    const auto began = Clock::now();
    change(*pair.follower.store, Reign::Leading, PhysicalOffset{begin});
    change(*pair.follower.store, Reign::Following);
    best = std::min(best, Clock::now() - began);
  }
  CHECK(best < std::chrono::milliseconds(5));
  CHECK(diverged_files(pair.follower).empty());
}

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
    const auto ends = fill(fixture, 40, "old");
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
    change(*fixture.store, next_leads ? Reign::Leading : Reign::Following, cut);
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
    if (!next_leads) change(*fixture.store, Reign::Leading);
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
  const auto ends = fill(fixture, 40, "old");
  for (const std::size_t keep : {30UL, 12UL, 3UL}) {
    change(*fixture.store, Reign::Leading, ends[keep - 1]);
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
  fill(pair.leader, 3, "m");
  REQUIRE(pair.feed(0, pair.log(0), 100));
  change(*pair.follower.store, Reign::Following, PhysicalOffset{0});
  CHECK(pair.follower_end() == 0);
  CHECK(pair.follower.store->visible_end("T", 0) == QueueOffset{0});
  pair.produce();
  const std::int64_t begin = pair.leader.config.commit_log_segment_bytes;
  REQUIRE(pair.feed(begin, pair.log(begin), 5000));
  REQUIRE(pair.follower.wait_dispatched());
  for (const auto& [topic, queue] : pair.leader.store->queues()) {
    if (topic == "T") continue;
    const QueueOffset first = pair.follower.store->min_offset(topic, queue);
    CHECK(pair.follower.bodies(topic, queue, first.value) ==
          pair.leader.bodies(topic, queue, first.value));
  }
}

TEST_CASE("cut: only at the end of a record, else nothing changes") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  const auto ends = fill(fixture, 20, "m");
  const std::int64_t end = ends.back().value;
  fixture.store->end_reign(kOver);
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
  for (int i = 0; i < 60; ++i) ends.push_back(append_with_key(fixture, "old" + std::to_string(i)).end);
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
  change(*fixture.store, Reign::Leading, ends[49]);
  check(50, 0);
  change(*fixture.store, Reign::Leading, ends[20]);
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
  const auto ends = fill(fixture, 10, "m");
  REQUIRE(fixture.store->delete_messages("T", ends[7]));
  CHECK(fixture.store->min_offset("T", 0) == QueueOffset{4});
  change(*fixture.store, Reign::Leading, ends[3]);
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

TEST_CASE("cut: what is not confirmed keeps its numbers, and is not shown by it") {
  StorePair pair;
  pair.follower.store->confirm(ConfirmedOffset{0});
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < 6; ++i) ends.push_back(pair.leader.append("T", 0, {"m" + std::to_string(i)}).end);
  REQUIRE(pair.feed(0, pair.log(0), 1000));
  MessageStore& store = *pair.follower.store;
  store.confirm(ConfirmedOffset{ends[1].value});
  REQUIRE(wait_for(store.dispatched(), DispatchedOffset{ends[1].value}));
  change(store, Reign::Leading, ends[3]);
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
  change(*fixture.store, Reign::Leading, first.end);
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
    const auto ends = fill(fixture, 10, "m");
    fixture.failing.plan(test::FileCall::Write, 1, std::errc::no_space_on_device, "diverged", 1);
    fixture.store->end_reign(kOver);
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
    const auto ends = fill(fixture, 10, "m");
    fixture.store->end_reign(kOver);
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
    const auto ends = fill(fixture, 10, "m");
    change(*fixture.store, Reign::Leading, ends[3]);
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
  const auto ends = fill(fixture, 10, "m");
  REQUIRE(fixture.wait_flushed());
  fixture.failing.plan(test::FileCall::Sync, 1, std::errc::io_error, "commitlog", 1);
  fixture.store->end_reign(kOver);
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
  const auto ends = fill(fixture, 10, "m");
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!done) {
        ReadRequest request;
        request.topic = "T";
        request.from = QueueOffset{0};
        const auto read = fixture.store->read(request);
        const bool fine = read ? read->status == ReadStatus::Found
                               : read.error().code == StoreErrc::Truncating;
        const auto raw = fixture.store->read_log(PhysicalOffset{0}, 100, MayWait::Yes);
        const bool raw_fine = raw || raw.error().code == StoreErrc::Truncating;
        if (!fine || !raw_fine) ++wrong;
        ++reads;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    fill(fixture, 60, "more");
    change(*fixture.store, i % 2 == 0 ? Reign::Leading : Reign::Following, ends.back());
    if (i % 2 != 0) change(*fixture.store, Reign::Leading);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(reads > 0);
  CHECK(fixture.bodies("T", 0).size() == 5);
}

}  // namespace rmq::storage
