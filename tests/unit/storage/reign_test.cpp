// Reigns that end and begin in a running store; where the log is cut: cut_test.cpp.
#include <limits>
#include <thread>

#include "tests/support/reigns.h"

namespace rmq::storage {

using test::Appended;
using test::change_reign;
using test::diverged_files;
using test::fill_queues;
using test::kReignOver;
using test::StoreFixture;
using test::StorePair;
using Texts = std::vector<std::string>;
using Reign = MessageStore::Reign;

namespace {

constexpr std::int64_t kAllConfirmed = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("reign: when it ends nothing is taken, waiters are told, and reading goes on") {
  StoreFixture fixture;
  fixture.config.flush_interval = std::chrono::hours(1);
  fixture.open();
  const std::int64_t reign = fixture.store->reign();
  fill_queues(fixture, 4, "m");
  const std::int64_t end = fixture.store->appended().value().value;
  std::vector<std::error_code> told;
  const auto note = [&](Result<> r) { told.push_back(r ? std::error_code() : r.error().code); };
  fixture.store->appended().when_at_least(AppendedOffset{end + 1}, note);
  fixture.store->flushed().when_at_least(FlushedOffset{end}, note);
  fixture.store->dispatched().when_at_least(DispatchedOffset{end + 1}, note);
  fixture.store->indexed().when_at_least(IndexedOffset{end + 1}, note);
  fixture.store->end_reign(kReignOver);
  CHECK(told == std::vector<std::error_code>(4, kReignOver.code));
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
  fixture.store->end_reign(kReignOver);  // there is none
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
  change_reign(*fixture.store, Reign::Leading);
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
      const Texts bodies(static_cast<std::size_t>(1 + i % 3),
                         std::to_string(turn) + "/" + std::to_string(i) +
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
    change_reign(*follower->store, Reign::Leading);
    for (const auto& [topic, queue] : leader->store->queues()) {
      CHECK(follower->bodies(topic, queue) == leader->bodies(topic, queue));
    }
    change_reign(*leader->store, Reign::Following);
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

TEST_CASE(
    "reign: a slave that becomes master gives the next numbers, and shows no more than is "
    "confirmed") {
  StorePair pair;
  pair.follower.store->confirm(ConfirmedOffset{0});
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < 5; ++i)
    ends.push_back(pair.leader.append("T", 0, {"m" + std::to_string(i)}).end);
  const Bytes log = pair.log(0);
  REQUIRE(pair.feed(0, log, 77));
  MessageStore& store = *pair.follower.store;
  store.confirm(ConfirmedOffset{ends[1].value});
  store.end_reign(kReignOver);
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

TEST_CASE(
    "reign: what the master had confirmed beyond the slave's end does not confirm the slave's "
    "own records") {
  StorePair pair;
  pair.leader.append("T", 0, {"m"});
  REQUIRE(pair.feed(0, pair.log(0), 50));
  MessageStore& store = *pair.follower.store;
  store.confirm(ConfirmedOffset{1 << 20});
  change_reign(store, Reign::Leading);
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
  change_reign(*pair.follower.store, Reign::Leading);
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
    change_reign(*pair.follower.store, Reign::Leading, PhysicalOffset{begin});
    change_reign(*pair.follower.store, Reign::Following);
    best = std::min(best, Clock::now() - began);
  }
  CHECK(best < std::chrono::milliseconds(5));
  CHECK(diverged_files(pair.follower).empty());
}

}  // namespace rmq::storage
