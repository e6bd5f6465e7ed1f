#include "replication/feeder.h"

#include <doctest/doctest.h>

#include <ostream>

#include "replication/replication_errc.h"

using namespace rmq;
using namespace rmq::replication;
using namespace std::chrono_literals;

namespace {

constexpr Epoch kReign{3};

// A master in epoch 3, whose log has epochs 1 to 3 and goes from 40 to 250.
struct Session {
  EpochHistory history;
  std::int64_t begin = 40;
  std::int64_t end = 250;
  std::int64_t confirmed = 200;
  SteadyTime now{1h};
  Feeder feeder;

  explicit Session(FeederConfig config = {}) : feeder(config, kReign) {
    REQUIRE(history.begin(Epoch{1}, PhysicalOffset{0}));
    REQUIRE(history.begin(Epoch{2}, PhysicalOffset{100}));
    REQUIRE(history.begin(Epoch{3}, PhysicalOffset{150}));
  }
  FeederLog log() const {
    return {history, PhysicalOffset{begin}, PhysicalOffset{128}, PhysicalOffset{end},
            PhysicalOffset{confirmed}};
  }
  Result<> report(std::int64_t offset) {
    return feeder.on_report(Report{PhysicalOffset{offset}}, log());
  }
  void start(std::int64_t offset, SlaveHandshake slave = {}) {
    REQUIRE(feeder.on_handshake(slave, log()));
    REQUIRE(report(offset));
  }
  // Offset, bytes and epoch of the next block; bytes -1 when there is none.
  struct Sent {
    std::int64_t offset = -1;
    std::int64_t bytes = -1;
    std::int32_t epoch = 0;
    bool operator==(const Sent&) const = default;
  };
  Sent next() {
    const std::optional<BlockHead> head = feeder.next(log(), now);
    return head ? Sent{head->offset.value, head->bytes, head->epoch.value} : Sent{};
  }
};
using Sent = Session::Sent;

FeederConfig small(std::int64_t block, std::int64_t window) {
  FeederConfig config;
  config.block_bytes_max = block;
  config.window_bytes = window;
  return config;
}

}  // namespace

TEST_CASE("feeder: the handshake says end, epoch and history") {
  Session session;
  CHECK(!session.feeder.next(session.log(), session.now));
  CHECK(session.report(100).error().code == ReplicationErrc::UnexpectedMessage);
  const Result<MasterHandshake> ours = session.feeder.on_handshake({.replica = 2}, session.log());
  REQUIRE(ours);
  CHECK(ours->end == PhysicalOffset{250});
  CHECK(ours->epoch == kReign);
  CHECK(ours->history == session.history);
  CHECK(session.feeder.slave().replica == 2);
  CHECK(!session.feeder.on_handshake({.replica = 2}, session.log()));
}

TEST_CASE("feeder: a block never crosses an epoch") {
  Session session;
  session.start(60);
  CHECK(session.next() == Sent{60, 40, 1});
  CHECK(session.next() == Sent{100, 50, 2});
  CHECK(session.next() == Sent{150, 100, 3});
  CHECK(session.next() == Sent{});
  session.end = 251;
  CHECK(session.next() == Sent{250, 1, 3});
}

TEST_CASE("feeder: at most a block at a time, at most a window ahead") {
  Session session(small(30, 50));
  session.start(60);
  CHECK(session.next() == Sent{60, 30, 1});
  CHECK(session.next() == Sent{90, 10, 1});
  CHECK(session.next() == Sent{100, 10, 2});
  CHECK(session.next() == Sent{});
  REQUIRE(session.report(80));
  CHECK(session.next() == Sent{110, 20, 2});
  CHECK(session.next() == Sent{});
}

TEST_CASE("feeder: where an empty slave begins") {
  Session session;
  session.start(0);
  CHECK(session.next() == Sent{40, 60, 1});
  CHECK(session.report(0));  // repeated until the block is there
  Session last;
  last.start(0, {.from_last_segment = true});
  CHECK(last.next() == Sent{128, 22, 2});
}

TEST_CASE("feeder: reports that cannot be end the session") {
  Session session;
  REQUIRE(session.feeder.on_handshake({}, session.log()));
  CHECK(session.report(251).error().code == ReplicationErrc::AckBeyondEnd);
  CHECK(session.report(39).error().code == ReplicationErrc::BehindBegin);
  REQUIRE(session.report(150));
  (void)session.next();
  REQUIRE(session.report(200));
  CHECK(session.report(199).error().code == ReplicationErrc::AckWentBack);
  CHECK(session.report(251).error().code == ReplicationErrc::AckBeyondEnd);
}

TEST_CASE("feeder: says how far confirmed has come when there is nothing else to say") {
  Session session;
  session.start(150);
  CHECK(session.next() == Sent{150, 100, 3});
  session.confirmed = 230;
  CHECK(session.next() == Sent{});
  session.now += 20ms;
  CHECK(session.next() == Sent{250, 0, 3});
  session.now += 4s;
  CHECK(session.next() == Sent{});
  session.now += 1s;
  CHECK(session.next() == Sent{250, 0, 3});
}
