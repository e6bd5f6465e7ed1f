// A reign without its streams: what counts, and what the store and who waits is told.
#include "roles/broker/replication/leading_reign.h"

#include <ostream>
#include <thread>

#include "replication/replication_errc.h"
#include "tests/support/epoch_member.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using replication::Epoch;
using replication::ReplicationErrc;
using replication::SlaveHandshake;
using test::await_mark;
using test::EpochMember;

TEST_CASE("leading reign: alone, the own log is all that counts, without a tick") {
  EpochMember master(1);
  master.lead(Epoch{1}, {1});
  std::vector<std::thread> senders;
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([&master, i] {
      for (int j = 0; j < 100; ++j) master.append("m", i);
    });
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(master.acknowledged.value().value == master.end().value);
  CHECK(master.reign->confirmed().value == master.end().value);
}

TEST_CASE("leading reign: under sync flush the own log counts as far as it is on disk") {
  EpochMember master(
      1, [](BrokerConfig& config) { config.store.flush_disk_type = storage::FlushDiskType::Sync; });
  master.lead(Epoch{1}, {1, 2});
  REQUIRE(master.reign->connect(SlaveHandshake{2, false, false}, 1, "slave"));
  const std::int64_t end = master.append("m");
  // A slave that is ahead of the own disk.
  REQUIRE(master.reign->ack(2, 1, PhysicalOffset{end}));
  CHECK(master.acknowledged.value().value <= master.store().flushed().value().value);
  await_mark(master.store().flushed(), end);
  master.reign->note_own_log();
  CHECK(master.acknowledged.value().value == end);
}

TEST_CASE("leading reign: own log and acknowledgements from several threads, none is missed") {
  EpochMember master(1);
  master.lead(Epoch{1}, {1, 2});
  REQUIRE(master.reign->connect(SlaveHandshake{2, false, false}, 1, "slave"));
  std::atomic<bool> done{false};
  std::thread slave([&] {
    while (!done) REQUIRE(master.reign->ack(2, 1, master.end()));
  });
  std::thread watcher([&] {
    std::int64_t before = 0;
    while (!done) {
      const std::int64_t acknowledged = master.acknowledged.value().value;
      CHECK(acknowledged >= before);
      CHECK(acknowledged <= master.reign->confirmed().value);
      before = acknowledged;
    }
  });
  for (int i = 0; i < 300; ++i) {
    const std::int64_t end = master.append("m");
    await_mark(master.acknowledged, end);
  }
  done = true;
  slave.join();
  watcher.join();
}

TEST_CASE("leading reign: who may write follows the set") {
  replication::SyncSetConfig rules;
  rules.min_in_sync = 2;
  EpochMember master(1);
  master.lead(Epoch{1}, {1, 2}, rules);
  CHECK(master.reign->may_write());
  master.set(Epoch{1}, {1}, 2);
  CHECK(master.reign->may_write().error().code == ReplicationErrc::NotEnoughInSync);
  // Confirmed goes on alone, what enough replicas have does not.
  const std::int64_t end = master.append("m");
  CHECK(master.reign->confirmed().value == end);
  CHECK(master.acknowledged.value().value == 0);
  CHECK(master.reign->set_epoch() == replication::SetEpoch{2});
  master.set(Epoch{2}, {1, 2}, 9);  // of another reign
  master.set(Epoch{1}, {1, 2}, 1);  // an old one
  CHECK_FALSE(master.reign->may_write());
  master.set(Epoch{1}, {1, 2}, 3);
  CHECK(master.reign->may_write());
}

TEST_CASE("leading reign: the newest connection of a replica counts") {
  EpochMember master(1);
  master.lead(Epoch{1}, {1, 2});
  const std::int64_t end = master.append("m");
  const SlaveHandshake slave{2, false, false};
  REQUIRE(master.reign->connect(slave, 5, "old"));
  REQUIRE(master.reign->connect(slave, 6, "new"));
  CHECK(master.reign->connect(slave, 4, "older").error().code == ReplicationErrc::OldConnection);
  CHECK(master.reign->ack(2, 5, PhysicalOffset{end}).error().code ==
        ReplicationErrc::OldConnection);
  master.reign->disconnect(2, 5);
  CHECK(master.acknowledged.value().value == 0);
  REQUIRE(master.reign->ack(2, 6, PhysicalOffset{end}));
  CHECK(master.acknowledged.value().value == end);
  master.reign->note_sent(6, PhysicalOffset{end});
  master.reign->sample();
  const auto peers = master.reign->peers();
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].address == "new");
  CHECK(peers[0].sent_in_second == end);
}

}  // namespace
}  // namespace rmq::roles::broker
