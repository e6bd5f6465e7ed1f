// Two replicas in one process, each with a store: the log over the wire, reign by reign.
#include <algorithm>
#include <ostream>
#include <thread>

#include "replication/replication_errc.h"
#include "tests/support/epoch_member.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using replication::Epoch;
using replication::EpochEntry;
using replication::ReplicationErrc;
using storage::FlushDiskType;
using test::await_mark;
using test::check_same;
using test::EpochMember;
using Texts = std::vector<std::string>;

std::string text(int number) {
  return "message " + std::to_string(number) +
         std::string(static_cast<std::size_t>(number * 37 % 3000), 'x');
}

// Where the log ends then.
std::int64_t produce(EpochMember& master, int from, int to) {
  std::int64_t end = 0;
  for (int i = from; i < to; ++i) end = master.append(text(i), i % 2);
  return end;
}

// The slave has all of it, shows it, and knows that it is confirmed.
void await_all(EpochMember& master, EpochMember& slave) {
  const std::int64_t end = master.end().value;
  await_mark(slave.store().appended(), end);
  await_mark(master.acknowledged, end);
  await_mark(slave.store().dispatched(), end);
  await_mark(master.store().dispatched(), end);
}

TEST_CASE("epoch stream: a slave gets the log of before, over several segments, and what comes") {
  for (const FlushDiskType flush : {FlushDiskType::Async, FlushDiskType::Sync}) {
    const auto set = [flush](BrokerConfig& config) { config.store.flush_disk_type = flush; };
    EpochMember master(1, set);
    EpochMember slave(2, set);
    master.lead(Epoch{1}, {1, 2});
    produce(master, 0, 300);
    CHECK(master.end().value > 5 * master.config.store.commit_log_segment_bytes);
    slave.follow(master);
    await_mark(slave.store().appended(), 1);
    produce(master, 300, 400);
    await_all(master, slave);
    check_same(master, slave);
    CHECK(slave.receiver->connected());
    CHECK(slave.receiver->confirmed() == ConfirmedOffset{master.end().value});
    CHECK(slave.receiver->shared_end() == master.end());
    const auto peers = master.reign->peers();
    REQUIRE(peers.size() == 1);
    CHECK(peers[0].replica == 2);
    CHECK(peers[0].in_set);
    CHECK(peers[0].sent == master.end());
    CHECK(peers[0].acked == master.end());
  }
}

TEST_CASE("epoch stream: one record after the other") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  slave.follow(master);
  for (int i = 0; i < 50; ++i) {
    const std::int64_t end = master.append(text(i));
    await_mark(master.acknowledged, end);
    CHECK(slave.end().value >= end);
  }
  await_all(master, slave);
  check_same(master, slave);
}

TEST_CASE("epoch stream: small blocks in a small window") {
  const auto set = [](BrokerConfig& config) { config.ha_transfer_batch_bytes = 777; };
  EpochMember master(1, set);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  produce(master, 0, 200);
  slave.follow(master);
  await_all(master, slave);
  check_same(master, slave);
}

TEST_CASE("epoch stream: acknowledged and visible is what all members have") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  const std::int64_t end = master.append("m");
  (void)master.reign->tick();
  CHECK(master.acknowledged.value() == ConfirmedOffset{0});
  CHECK(master.reign->confirmed() == ConfirmedOffset{0});
  CHECK(master.store().visible_end("T", 0) == QueueOffset{0});
  slave.follow(master);
  await_all(master, slave);
  CHECK(master.acknowledged.value() == ConfirmedOffset{end});
  CHECK(master.store().visible_end("T", 0) == QueueOffset{1});
  CHECK(slave.store().visible_end("T", 0) == QueueOffset{1});
}

TEST_CASE("epoch stream: a slave does not show what another member does not have") {
  EpochMember master(1);
  EpochMember slave(2);
  EpochMember late(3);
  master.lead(Epoch{1}, {1, 2, 3});
  slave.follow(master);
  const std::int64_t end = master.append("m");
  await_mark(slave.store().appended(), end);
  // A heartbeat later it is the same.
  while (!slave.receiver->connected()) std::this_thread::yield();
  CHECK(slave.store().visible_end("T", 0) == QueueOffset{0});
  CHECK(slave.receiver->confirmed() == ConfirmedOffset{0});
  CHECK(master.acknowledged.value() == ConfirmedOffset{0});
  late.follow(master);
  await_all(master, late);
  await_all(master, slave);
  CHECK(slave.store().visible_end("T", 0) == QueueOffset{1});
}

TEST_CASE("epoch stream: a member that is gone holds confirmed back until the set changes") {
  replication::SyncSetConfig rules;
  rules.disconnected_max = -1ms;
  rules.proposal_interval = 0ms;
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2}, rules);
  slave.follow(master);
  const std::int64_t first = master.append("first");
  await_mark(master.acknowledged, first);
  slave.stop_following();
  while (!master.reign->peers().empty()) std::this_thread::yield();
  const std::int64_t second = master.append("second");
  const auto proposal = master.reign->tick();
  REQUIRE(proposal);
  CHECK(proposal->members == replication::ReplicaIds{1});
  CHECK(master.reign->confirmed() == ConfirmedOffset{first});
  CHECK(master.acknowledged.value() == ConfirmedOffset{first});
  master.set(Epoch{1}, {1}, 2);
  CHECK(master.reign->confirmed() == ConfirmedOffset{second});
  CHECK(master.acknowledged.value() == ConfirmedOffset{second});
  CHECK(master.reign->members() == replication::ReplicaIds{1});
  // It comes back, catches up, and is to be a member again.
  slave.follow(master);
  await_mark(slave.store().appended(), second);
  std::optional<replication::SetProposal> back;
  while (!back) back = master.reign->tick();
  CHECK(back->members == replication::ReplicaIds{1, 2});
}

TEST_CASE("epoch stream: what only the old master has is cut, and the new one's records come") {
  EpochMember a(1);
  EpochMember b(2);
  a.lead(Epoch{1}, {1, 2});
  b.follow(a);
  produce(a, 0, 100);
  await_all(a, b);
  CHECK(b.cuts.take() == PhysicalOffset{0});  // the first session of all: nothing was cut
  const PhysicalOffset common = a.end();
  b.stop_following();
  for (int i = 0; i < 3; ++i) a.append("only here " + std::to_string(i));
  // Of more segments than the new master has.
  produce(a, 200, 260);
  a.end_lead();
  b.lead(Epoch{2}, {1, 2});
  for (int i = 0; i < 5; ++i) b.append("new " + std::to_string(i));
  a.follow(b);
  await_all(b, a);
  CHECK(a.cuts.take() == common);
  check_same(a, b);
  CHECK(a.epochs.history().entries() ==
        std::vector<EpochEntry>{{Epoch{1}, PhysicalOffset{0}}, {Epoch{2}, common}});
  CHECK(FileSystem::posix().list(a.fixture.layout().diverged())->size() == 1);
  const Texts bodies = a.fixture.bodies("T", 0);
  CHECK(std::count(bodies.begin(), bodies.end(), "new 4") == 1);
  CHECK(std::none_of(bodies.begin(), bodies.end(),
                     [](const std::string& body) { return body.starts_with("only here"); }));
  // And back again.
  a.stop_following();
  b.end_lead();
  a.lead(Epoch{3}, {1, 2});
  produce(a, 300, 320);
  b.follow(a);
  await_all(a, b);
  check_same(a, b);
}

TEST_CASE("epoch stream: a slave that connects again needs no cut and no new reign of its store") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  slave.follow(master);
  produce(master, 0, 10);
  await_all(master, slave);
  const std::int64_t reign = slave.store().reign();
  CHECK(slave.cuts.take() == PhysicalOffset{0});
  slave.stop_following();
  CHECK_FALSE(slave.receiver->connected());
  produce(master, 10, 20);
  slave.follow(master);
  await_all(master, slave);
  CHECK(slave.store().reign() == reign);
  CHECK(slave.cuts.size() == 0);
  check_same(master, slave);
}

TEST_CASE("epoch stream: a slave goes on by itself when a master leads again") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  slave.follow(master);
  produce(master, 0, 10);
  await_all(master, slave);
  master.sender->end_reign();  // and sends whoever comes away
  while (slave.receiver->connected()) std::this_thread::yield();
  const std::int64_t end = produce(master, 10, 20);
  CHECK(master.acknowledged.value() < ConfirmedOffset{end});
  master.sender->lead(master.reign);
  await_all(master, slave);
  check_same(master, slave);
}

TEST_CASE("epoch stream: a reign that has ended takes no reports and lets nobody write") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  slave.follow(master);
  const std::int64_t end = master.append("m");
  await_all(master, slave);
  REQUIRE(master.reign->may_write());
  master.reign->end();
  CHECK(master.reign->may_write().error().code == ReplicationErrc::StaleEpoch);
  CHECK(master.reign->ack(2, 1, PhysicalOffset{end}).error().code == ReplicationErrc::StaleEpoch);
  CHECK(master.reign->connect({.replica = 3}, 9, "").error().code == ReplicationErrc::StaleEpoch);
  CHECK_FALSE(master.reign->tick());
  // The stream is still there: what it brings counts for nothing, and ends it.
  const std::int64_t late = master.append("late");
  master.set(Epoch{1}, {1}, 2);
  await_mark(slave.store().appended(), late);
  CHECK(master.acknowledged.value() == ConfirmedOffset{end});
  CHECK(master.store().visible_end("T", 0) == QueueOffset{1});
  while (slave.receiver->connected()) std::this_thread::yield();
}

TEST_CASE("epoch stream: a slave whose master is in a newer reign says so") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{5}, {1, 2});
  master.append("m");
  slave.follow(master.ha_address(), Epoch{4});
  CHECK(slave.newer.take() == Epoch{5});
  CHECK(slave.end() == PhysicalOffset{0});
  slave.follow(master);
  await_all(master, slave);
}

TEST_CASE("epoch stream: a log without epochs is left as it is") {
  EpochMember master(1);
  EpochMember slave(2);
  // Written in no reign.
  REQUIRE(slave.fixture.append("T", 0, {"mine"}).outcome);
  const PhysicalOffset end = slave.end();
  master.lead(Epoch{1}, {1});
  master.append("m");
  slave.follow(master);
  std::int64_t read_ms = 0;
  while (read_ms == 0) slave.on_control([&] { read_ms = slave.receiver->status().last_read_ms; });
  slave.stop_following();
  CHECK(slave.end() == end);
  CHECK(slave.fixture.bodies("T", 0) == Texts{"mine"});
  CHECK(slave.cuts.size() == 0);
}

}  // namespace
}  // namespace rmq::roles::broker
