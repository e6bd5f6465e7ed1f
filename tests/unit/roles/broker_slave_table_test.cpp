#include "roles/broker/replication/slave_table.h"

#include <doctest/doctest.h>

#include <ostream>
#include <vector>

#include "protocol/protocol_errc.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {
namespace {

PhysicalOffset at(std::int64_t value) { return PhysicalOffset{value}; }

struct Fixture {
  void start(std::int64_t end, std::size_t needed) {
    table.start(ConfirmedOffset{end}, needed,
                [this](ConfirmedOffset now) { confirmed.push_back(now.value); });
  }
  std::uint64_t add(std::int64_t from, std::int64_t sent) {
    const std::uint64_t id = table.add("slave", at(from));
    table.note_sent(id, at(sent));
    return id;
  }

  SlaveTable table;
  std::vector<std::int64_t> confirmed;
};

TEST_CASE_FIXTURE(Fixture, "slave table: confirmed is what so many have, and never less") {
  start(100, 3);  // two slaves
  const std::uint64_t a = add(100, 1000);
  REQUIRE(table.ack(a, at(500)));
  CHECK(table.confirmed().value().value == 100);
  const std::uint64_t b = add(100, 1000);
  REQUIRE(table.ack(b, at(300)));
  CHECK(table.confirmed().value().value == 300);
  const std::uint64_t c = add(100, 1000);
  REQUIRE(table.ack(c, at(400)));
  CHECK(table.confirmed().value().value == 400);
  table.remove(a);
  CHECK(table.confirmed().value().value == 400);
  REQUIRE(table.ack(b, at(350)));
  CHECK(table.confirmed().value().value == 400);
  table.remove(c);
  REQUIRE(table.ack(b, at(1000)));
  CHECK(table.confirmed().value().value == 400);
  CHECK(confirmed == std::vector<std::int64_t>{100, 300, 400});
}

TEST_CASE_FIXTURE(Fixture, "slave table: how many are needed changes while it runs") {
  constexpr std::int64_t kAll = storage::MessageStore::kAllConfirmed.value;
  start(0, 1);
  const std::uint64_t a = add(0, 1000);
  const std::uint64_t b = add(0, 1000);
  REQUIRE(table.ack(a, at(10)));
  CHECK(confirmed.empty());
  std::int64_t end = 100;
  const auto log_end = [&] { return ConfirmedOffset{end}; };

  // What was acknowledged by the master alone counts.
  table.set_needed(3, log_end);
  CHECK(table.needed() == 3);
  REQUIRE(table.ack(a, at(200)));
  REQUIRE(table.ack(b, at(150)));
  CHECK(confirmed == std::vector<std::int64_t>{100, 150});

  // One slave less is enough for what waits.
  table.set_needed(2, log_end);
  CHECK(table.confirmed().value().value == 200);
  table.set_needed(3, log_end);
  CHECK(table.confirmed().value().value == 200);

  bool told = false;
  table.confirmed().when_at_least(ConfirmedOffset{300}, [&](const Result<>&) { told = true; });
  end = 300;
  table.set_needed(1, log_end);
  CHECK(told);
  REQUIRE(table.ack(a, at(400)));
  CHECK(confirmed == std::vector<std::int64_t>{100, 150, 200, 200, kAll});
}

TEST_CASE_FIXTURE(Fixture, "slave table: who waits is told when enough have it") {
  start(0, 2);
  const std::uint64_t a = add(0, 50);
  int told = 0;
  table.confirmed().when_at_least(ConfirmedOffset{20}, [&](const Result<>& outcome) {
    CHECK(outcome);
    ++told;
  });
  REQUIRE(table.ack(a, at(19)));
  CHECK(told == 0);
  REQUIRE(table.ack(a, at(20)));
  CHECK(told == 1);
}

TEST_CASE_FIXTURE(Fixture, "slave table: an acknowledgement that cannot be counts for nothing") {
  start(0, 2);
  const std::uint64_t a = add(0, 50);
  const auto refused = [&](std::int64_t end) {
    const Result<> acked = table.ack(a, at(end));
    return !acked && acked.error().code == protocol::ProtocolErrc::BodyMalformed;
  };
  CHECK(refused(51));
  CHECK(refused(-1));
  CHECK(table.confirmed().value().value == 0);
  REQUIRE(table.ack(a, at(30)));
  CHECK(refused(29));
  CHECK(table.confirmed().value().value == 30);
}

TEST_CASE_FIXTURE(Fixture, "slave table: in sync are this one and those that do not lag too far") {
  start(0, 2);
  CHECK(table.in_sync(at(100), 10) == 1);
  CHECK_FALSE(table.any());
  const std::uint64_t a = add(0, 100);
  CHECK(table.any());
  CHECK(table.in_sync(at(100), 10) == 1);
  REQUIRE(table.ack(a, at(90)));
  CHECK(table.in_sync(at(100), 10) == 2);
  CHECK(table.in_sync(at(101), 10) == 1);
  table.remove(a);
  CHECK(table.in_sync(at(0), 10) == 1);
}

TEST_CASE_FIXTURE(Fixture, "slave table: a master that waits for nobody confirms nothing") {
  start(100, 1);
  const std::uint64_t a = add(100, 1000);
  REQUIRE(table.ack(a, at(500)));
  CHECK(table.confirmed().value().value == 100);
  CHECK(confirmed.empty());
}

}  // namespace
}  // namespace rmq::roles::broker
