#include "replication/follower.h"

#include <doctest/doctest.h>

#include <ostream>

#include "replication/replication_errc.h"

using namespace rmq;
using namespace rmq::replication;

namespace {

EpochHistory history_of(const std::vector<std::pair<std::int32_t, std::int64_t>>& parts) {
  EpochHistory history;
  for (const auto& [epoch, start] : parts) {
    REQUIRE(history.begin(Epoch{epoch}, PhysicalOffset{start}));
  }
  return history;
}

FollowerLog log_of(EpochHistory history, std::int64_t end, std::int64_t confirmed = 0) {
  return {std::move(history), PhysicalOffset{0}, PhysicalOffset{end}, PhysicalOffset{confirmed}};
}

BlockHead block(std::int64_t offset, std::int64_t bytes, std::int32_t epoch, std::int64_t start,
                std::int64_t confirmed = 0) {
  return {PhysicalOffset{offset}, bytes, Epoch{epoch}, PhysicalOffset{start},
          PhysicalOffset{confirmed}};
}

constexpr Epoch kReign{3};

// A slave with epochs 1 and 2, whose master reigns in epoch 3 from 150 on.
struct Session {
  Follower follower;

  explicit Session(bool ack_flushed = false)
      : follower({.self = 2, .ack_flushed = ack_flushed}, kReign,
                 log_of(history_of({{1, 0}, {2, 100}}), 180, 140)) {
    const MasterHandshake theirs{PhysicalOffset{200}, kReign,
                                 history_of({{1, 0}, {2, 100}, {3, 150}})};
    REQUIRE(follower.on_handshake(theirs)->to == PhysicalOffset{150});
    REQUIRE(follower.on_cut().offset == PhysicalOffset{150});
  }
  Append append(const BlockHead& head) {
    const Result<std::optional<Append>> result = follower.on_block(head);
    REQUIRE(result);
    REQUIRE(result->has_value());
    return **result;
  }
  std::error_code why_not(const BlockHead& head) { return follower.on_block(head).error().code; }
};

std::int64_t offset_of(const std::optional<Report>& report) {
  return report ? report->offset.value : -1;
}

std::error_code why_no_handshake(FollowerLog log, const MasterHandshake& theirs) {
  Follower follower({.self = 2}, kReign, std::move(log));
  return follower.on_handshake(theirs).error().code;
}

}  // namespace

TEST_CASE("follower: says who it is") {
  const Follower follower({.self = 2, .learner = true}, kReign, log_of({}, 0));
  CHECK(follower.handshake().replica == 2);
  CHECK(follower.handshake().learner);
}

TEST_CASE("follower: cuts what the master does not have, then takes over") {
  Session session;
  const Append append = session.append(block(150, 20, 3, 150));
  CHECK(append.offset == PhysicalOffset{150});
  CHECK(append.bytes == 20);
  CHECK(append.begins == EpochEntry{Epoch{3}, PhysicalOffset{150}});
  CHECK(!session.append(block(170, 5, 3, 150)).begins);
}

TEST_CASE("follower: a peer of another reign") {
  const EpochHistory history = history_of({{1, 0}});
  CHECK(why_no_handshake(log_of(history, 10), {PhysicalOffset{10}, Epoch{2}, history}) ==
        ReplicationErrc::StaleEpoch);
  CHECK(why_no_handshake(log_of(history, 10), {PhysicalOffset{10}, Epoch{4}, history}) ==
        ReplicationErrc::NewerEpoch);
}

TEST_CASE("follower: a copy without epochs takes the master's over, as far as it goes") {
  const MasterHandshake theirs{PhysicalOffset{90}, kReign, history_of({{2, 0}, {3, 60}})};
  FollowerLog longer = log_of({}, 100);
  longer.is_copy = true;
  Follower follower({.self = 2}, kReign, longer);
  const Result<Cut> cut = follower.on_handshake(theirs);
  REQUIRE(cut);
  CHECK(cut->to == PhysicalOffset{90});
  CHECK(cut->adopted == theirs.history);
  (void)follower.on_cut();
  CHECK(follower.on_block(block(90, 5, 3, 60)).value()->begins == std::nullopt);

  FollowerLog shorter = log_of({}, 60);
  shorter.is_copy = true;
  CHECK(Follower({.self = 2}, kReign, shorter).on_handshake(theirs)->adopted ==
        history_of({{2, 0}}));
  // One that goes further back than the master's epochs do is not known to be its.
  const MasterHandshake late{PhysicalOffset{90}, kReign, history_of({{3, 10}})};
  CHECK(why_no_handshake(shorter, late) == ReplicationErrc::LogWithoutEpochs);
  // Nothing to take over: the empty log of a new slave.
  FollowerLog empty = log_of({}, 0);
  empty.is_copy = true;
  CHECK_FALSE(Follower({.self = 2}, kReign, empty).on_handshake(theirs)->adopted);
}

TEST_CASE("follower: logs that cannot be joined") {
  const MasterHandshake theirs{PhysicalOffset{90}, kReign, history_of({{2, 50}, {3, 60}})};
  CHECK(why_no_handshake(log_of(history_of({{1, 0}}), 10), theirs) ==
        ReplicationErrc::NoCommonPoint);
  CHECK(why_no_handshake(log_of({}, 10), theirs) == ReplicationErrc::LogWithoutEpochs);
  // What both have is no longer in the own log.
  FollowerLog pruned = log_of(history_of({{2, 50}, {4, 58}}), 90);
  pruned.begin = PhysicalOffset{70};
  CHECK(why_no_handshake(std::move(pruned), theirs) == ReplicationErrc::NoCommonPoint);
}

TEST_CASE("follower: messages out of turn") {
  Follower follower({.self = 2}, kReign, log_of({}, 0));
  CHECK(follower.on_block(block(0, 1, 3, 0)).error().code == ReplicationErrc::UnexpectedMessage);
  CHECK(!follower.on_written(PhysicalOffset{0}));
  CHECK(!follower.shared_end());
  const MasterHandshake theirs{PhysicalOffset{0}, kReign, {}};
  REQUIRE(follower.on_handshake(theirs));
  CHECK(!follower.shared_end());
  CHECK(follower.on_handshake(theirs).error().code == ReplicationErrc::UnexpectedMessage);
  (void)follower.on_cut();
  CHECK(follower.shared_end() == PhysicalOffset{0});
}

TEST_CASE("follower: a block that does not fit ends the session") {
  Session session;
  CHECK(session.why_not(block(151, 5, 3, 150)) == ReplicationErrc::OffsetOutOfPlace);
  CHECK(session.why_not(block(149, 5, 3, 150)) == ReplicationErrc::OffsetOutOfPlace);
  CHECK(session.why_not(block(150, -1, 3, 150)) == ReplicationErrc::OffsetOutOfPlace);
  CHECK(session.why_not(block(150, 5, 1, 0)) == ReplicationErrc::StaleEpoch);
  CHECK(session.why_not(block(150, 5, 2, 90)) == ReplicationErrc::EpochsDisagree);
  CHECK(session.why_not(block(150, 5, 3, 140)) == ReplicationErrc::EpochsDisagree);
  CHECK(session.why_not(block(150, 5, 4, 150)) == ReplicationErrc::NewerEpoch);
}

TEST_CASE("follower: acknowledges what is written, not what has come") {
  Session session;
  (void)session.append(block(150, 20, 3, 150));
  CHECK(session.follower.report().offset == PhysicalOffset{150});
  CHECK(offset_of(session.follower.on_written(PhysicalOffset{150})) == -1);
  CHECK(offset_of(session.follower.on_written(PhysicalOffset{160})) == 160);
  CHECK(offset_of(session.follower.on_flushed(PhysicalOffset{160})) == -1);
  CHECK(offset_of(session.follower.on_written(PhysicalOffset{170})) == 170);
  CHECK(offset_of(session.follower.on_written(PhysicalOffset{171})) == -1);  // not of this session
}

TEST_CASE("follower: acknowledges what is flushed, where that is asked for") {
  Session session(true);
  (void)session.append(block(150, 20, 3, 150));
  CHECK(offset_of(session.follower.on_written(PhysicalOffset{170})) == -1);
  CHECK(offset_of(session.follower.on_flushed(PhysicalOffset{165})) == 165);
}

TEST_CASE("follower: confirmed is never beyond the own end") {
  Session session;
  CHECK(session.follower.confirmed() == PhysicalOffset{140});
  (void)session.append(block(150, 20, 3, 150, 165));
  CHECK(session.follower.confirmed() == PhysicalOffset{150});
  (void)session.follower.on_written(PhysicalOffset{170});
  CHECK(session.follower.confirmed() == PhysicalOffset{165});
  // A heartbeat.
  CHECK(!session.follower.on_block(block(170, 0, 3, 150, 168)).value());
  CHECK(session.follower.confirmed() == PhysicalOffset{168});
}

TEST_CASE("follower: RocketMQ tags the last block of an epoch with the next one") {
  Follower follower({.self = 2}, kReign, log_of(history_of({{1, 0}}), 50));
  const MasterHandshake theirs{PhysicalOffset{200}, kReign,
                               history_of({{1, 0}, {2, 100}, {3, 150}})};
  REQUIRE(follower.on_handshake(theirs)->to == PhysicalOffset{50});
  (void)follower.on_cut();
  CHECK(!follower.on_block(block(50, 50, 2, 100)).value()->begins);
  CHECK(follower.on_block(block(100, 50, 3, 150)).value()->begins ==
        EpochEntry{Epoch{2}, PhysicalOffset{100}});
  CHECK(follower.on_block(block(150, 50, 3, 150)).value()->begins ==
        EpochEntry{Epoch{3}, PhysicalOffset{150}});
}

TEST_CASE("follower: an empty log begins where the master's does") {
  Follower follower({.self = 2}, kReign, log_of({}, 0));
  REQUIRE(follower.on_handshake({PhysicalOffset{900}, kReign, history_of({{2, 300}, {3, 800}})}));
  CHECK(follower.on_cut().offset == PhysicalOffset{0});
  // The first part is there from its middle on; it keeps its start.
  const Append append = follower.on_block(block(512, 100, 2, 300)).value().value();
  CHECK(append.offset == PhysicalOffset{512});
  CHECK(append.begins == EpochEntry{Epoch{2}, PhysicalOffset{300}});
  CHECK(offset_of(follower.on_written(PhysicalOffset{612})) == 612);
  CHECK(follower.on_block(block(0, 1, 2, 300)).error().code == ReplicationErrc::OffsetOutOfPlace);
}
