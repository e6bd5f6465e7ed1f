// A store that follows another one: it gets its log in pieces, and ends up with the same bytes.
#include "storage/log_follower.h"

#include "tests/support/store_pair.h"

namespace rmq::storage {

using test::StoreFixture;
using Pair = test::StorePair;

TEST_CASE("follower: the same log and queues, whatever the pieces") {
  for (const std::size_t piece : {1UL, 7UL, 91UL, 1000UL, 4096UL, 1UL << 20}) {
    Pair pair;
    pair.produce(piece == 1 ? 20 : 60);
    pair.catch_up(piece);
    pair.check_same();
    pair.produce(3);
    pair.catch_up(piece);
    pair.check_same();
  }
}

TEST_CASE("follower: pieces of a record do not count, and are asked for again") {
  Pair pair;
  pair.produce(2);
  const Bytes log = pair.log(0);
  REQUIRE(pair.feed(0, ByteView(log).first(log.size() - 1), 333));
  const std::int64_t whole = pair.follower_end();
  CHECK(whole < pair.leader_end());
  CHECK(whole > 0);
  // A heartbeat of the master names the byte that comes next; the log ends before it.
  CHECK(pair.follower.store->append_log(PhysicalOffset{whole}, {}).error().code ==
        StoreErrc::OffsetOutOfRange);
  CHECK(pair.follower.store->append_log(PhysicalOffset{pair.leader_end() - 1}, {}));
  CHECK(pair.follower.store->resume_log().value == whole);
  pair.catch_up();
  pair.check_same();
}

TEST_CASE("follower: a restart, clean or not, goes on where the log ends") {
  for (const bool clean : {true, false}) {
    Pair pair;
    pair.produce();
    pair.catch_up();
    if (clean) pair.follower.store->stop();
    pair.open_follower();
    CHECK(pair.follower.store->resume_log().value == pair.leader_end());
    pair.produce();
    pair.catch_up();
    pair.check_same();
    if (clean) pair.follower.store->stop();
    pair.follower.kill();
    // It leads, with all that it has.
    pair.follower.open();
    CHECK(pair.follower.append("T0", 0, {"own"}).offsets[0] ==
          pair.leader.append("T0", 0, {"other"}).offsets[0]);
  }
}

TEST_CASE("follower: takes no messages of its own, and a leader no log") {
  Pair pair;
  CHECK(pair.follower.append("T0", 0, {"m"}).outcome.error().code == StoreErrc::Following);
  CHECK(pair.leader.store->append_log(PhysicalOffset{0}, as_bytes("log")).error().code ==
        StoreErrc::Stopped);
}

TEST_CASE("follower: what is damaged on the way is not taken, and what came before is") {
  Pair pair;
  pair.produce(2);
  const Bytes log = pair.log(0);
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; at < log.size();) {
    begins.push_back(at);
    at += load_big_endian<std::uint32_t>(log.data() + at);
  }
  REQUIRE(begins.size() == 10);
  const std::size_t victim = begins[4];
  struct Case {
    const char* what;
    std::size_t at;  // in the record
    std::byte value;
  };
  const Case cases[] = {
      {"size", 0, std::byte{0x7F}},
      {"magic", 5, std::byte{0}},
      {"body", 100, std::byte{'?'}},
      {"physical offset", 35, std::byte{0xFF}},
  };
  for (const Case& damage : cases) {
    CAPTURE(damage.what);
    Bytes damaged = log;
    damaged[victim + damage.at] = damage.value;
    for (const std::size_t piece : {13UL, log.size()}) {
      const std::int64_t from = pair.follower.store->resume_log().value;
      const Result<> fed =
          pair.feed(from, ByteView(damaged).subspan(static_cast<std::size_t>(from)), piece);
      REQUIRE_FALSE(fed);
      CHECK(fed.error().code == StoreErrc::RecordMalformed);
      CHECK(fed.error().detail.find(std::to_string(victim)) != std::string::npos);
      CHECK(pair.follower_end() == static_cast<std::int64_t>(victim));
    }
  }
  pair.catch_up();
  pair.check_same();
}

TEST_CASE("follower: bytes that do not follow are refused") {
  Pair pair;
  pair.produce(2);
  const Bytes log = pair.log(0);
  const std::size_t half = log.size() / 2;
  REQUIRE(pair.feed(0, ByteView(log).first(half), half));
  for (const std::int64_t at : {std::int64_t{0}, static_cast<std::int64_t>(half) - 1,
                                static_cast<std::int64_t>(half) + 1, std::int64_t{1} << 40}) {
    CHECK(pair.follower.store->append_log(PhysicalOffset{at}, as_bytes("x")).error().code ==
          StoreErrc::OffsetOutOfRange);
  }
  REQUIRE(pair.feed(static_cast<std::int64_t>(half), ByteView(log).subspan(half), 100));
  CHECK(pair.follower_end() == pair.leader_end());
}

TEST_CASE("follower: an empty log begins where the leader's does") {
  Pair pair;
  pair.produce();
  const std::int64_t segment = pair.leader.config.commit_log_segment_bytes;
  REQUIRE(pair.leader_end() > 2 * segment);
  SUBCASE("with a segment") {
    const std::int64_t begin = 2 * segment;
    const Bytes log = pair.log(begin);
    REQUIRE(pair.feed(begin, log, 5000));
    REQUIRE(pair.follower.wait_dispatched());
    CHECK(pair.follower_end() == pair.leader_end());
    CHECK(pair.follower.store->min_physical().value == begin);
    SUBCASE("as long as it runs") {}
    SUBCASE("after a clean stop") {
      pair.follower.store->stop();
      pair.open_follower();
    }
    SUBCASE("after a kill") { pair.open_follower(); }
    CHECK(pair.follower.store->min_physical().value == begin);
    for (const auto& [topic, queue] : pair.leader.store->queues()) {
      const QueueOffset first = pair.follower.store->min_offset(topic, queue);
      CHECK(first > QueueOffset{0});
      CHECK(pair.follower.store->visible_end(topic, queue) ==
            pair.leader.store->visible_end(topic, queue));
      CHECK(pair.follower.bodies(topic, queue, first.value) ==
            pair.leader.bodies(topic, queue, first.value));
    }
  }
  SUBCASE("never within one") {
    CHECK(
        pair.follower.store->append_log(PhysicalOffset{segment + 1}, as_bytes("x")).error().code ==
        StoreErrc::OffsetOutOfRange);
    pair.catch_up();
    pair.check_same();
  }
}

TEST_CASE("raw log: ends with its segment and with what is appended") {
  StoreFixture fixture;
  fixture.open();
  CHECK(fixture.store->read_log(PhysicalOffset{0}, 100, MayWait::Yes)->bytes.empty());
  CHECK(fixture.store->read_log(PhysicalOffset{1}, 100, MayWait::Yes).error().code ==
        StoreErrc::OffsetOutOfRange);
  REQUIRE(fixture.append("T", 0, {"one"}).outcome);
  const std::int64_t end = fixture.store->appended().value().value;
  const auto whole = fixture.store->read_log(PhysicalOffset{0}, 1 << 20, MayWait::Yes);
  REQUIRE(whole);
  CHECK(whole->bytes.size() == static_cast<std::size_t>(end));
  const auto part = fixture.store->read_log(PhysicalOffset{10}, 5, MayWait::Yes);
  REQUIRE(part);
  CHECK(part->bytes.size() == 5);
  CHECK(std::equal(part->bytes.begin(), part->bytes.end(), whole->bytes.begin() + 10));
}

TEST_CASE("confirm: what is not confirmed is not visible, whatever the offset is in") {
  StoreFixture fixture;
  fixture.open();
  fixture.store->confirm(ConfirmedOffset{0});
  std::vector<PhysicalOffset> ends;
  for (int i = 0; i < 3; ++i) ends.push_back(fixture.append("T", 0, {"message"}).end);
  const auto visible = [&](std::int64_t confirmed, std::int64_t dispatched) {
    fixture.store->confirm(ConfirmedOffset{confirmed});
    REQUIRE(test::wait_for(fixture.store->dispatched(), DispatchedOffset{dispatched}));
    return fixture.store->visible_end("T", 0).value;
  };
  CHECK(visible(0, 0) == 0);
  CHECK(visible(ends[0].value, ends[0].value) == 1);
  CHECK(visible(ends[1].value - 1, ends[0].value) == 1);
  CHECK(visible(ends[2].value - 1, ends[1].value) == 2);
  SUBCASE("then all of it") { CHECK(visible(ends[2].value, ends[2].value) == 3); }
  SUBCASE("a stop does not lose it, and the next start shows it") {
    fixture.restart();
    CHECK(fixture.bodies("T", 0).size() == 3);
  }
}

}  // namespace rmq::storage
