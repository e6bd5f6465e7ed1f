#include "replication/broker_role.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

using namespace rmq;
using namespace rmq::replication;
using namespace std::chrono_literals;

namespace {

ReignInfo reign(std::int32_t epoch, std::optional<ReplicaId> master, std::int32_t set_epoch = 1) {
  ReignInfo info;
  info.master = master;
  info.epoch = Epoch{epoch};
  info.set_epoch = SetEpoch{set_epoch};
  if (master) info.members = {*master};
  return info;
}

std::string text(const EndReign& action) { return "end " + std::to_string(action.epoch.value); }
std::string text(const StopFollowing&) { return "stop following"; }
std::string text(const StoreReign& action) {
  return (action.begins ? "store and begin " : "store ") + std::to_string(action.epoch.value);
}
std::string text(const BecomeMaster& action) {
  return "master in " + std::to_string(action.reign.epoch.value);
}
std::string text(const Follow& action) {
  return "follow " + std::to_string(*action.reign.master) + " in " +
         std::to_string(action.reign.epoch.value);
}
std::string text(const UpdateSet& action) { return "set " + to_string(action.reign.members); }
std::string text(const AskController&) { return "ask"; }
std::string text(const AskToElect& action) {
  return action.over ? "elect, over " + std::to_string(action.over->value) : "elect";
}

std::string list(const RoleActions& actions) {
  std::string all;
  for (const RoleAction& action : actions) {
    if (!all.empty()) all += "; ";
    all += std::visit([](const auto& what) { return text(what); }, action);
  }
  return all;
}

// Broker 1.
BrokerRole registered(std::int32_t seen = 0) {
  BrokerRole role({}, 1, Epoch{seen});
  REQUIRE(list(role.on_registered(reign(0, {}))) == (seen == 0 ? "elect" : ""));
  return role;
}

BrokerRole master_in(std::int32_t epoch) {
  BrokerRole role = registered();
  REQUIRE(list(role.on_reign(reign(epoch, 1))) == "store and begin " + std::to_string(epoch));
  REQUIRE(list(role.on_stored(Epoch{epoch})) == "master in " + std::to_string(epoch));
  return role;
}

BrokerRole slave_in(std::int32_t epoch) {
  BrokerRole role = registered();
  REQUIRE(list(role.on_reign(reign(epoch, 2))) == "store " + std::to_string(epoch));
  REQUIRE(list(role.on_stored(Epoch{epoch})) == "follow 2 in " + std::to_string(epoch));
  return role;
}

}  // namespace

TEST_CASE("role: nothing counts before registration") {
  BrokerRole role({}, 1, Epoch{});
  CHECK(list(role.on_reign(reign(1, 1))).empty());
  CHECK(list(role.tick(SteadyTime{1h})).empty());
  CHECK(role.role() == Role::Waiting);
  CHECK(!role.sends_heartbeats());
  CHECK(registered().sends_heartbeats());
}

TEST_CASE("role: master and slave only when the epoch is stored") {
  BrokerRole role = registered();
  CHECK(list(role.on_reign(reign(3, 1))) == "store and begin 3");
  CHECK(role.role() == Role::Storing);
  CHECK(!role.is_master_of(Epoch{3}));
  CHECK(list(role.on_stored(Epoch{2})).empty());
  CHECK(list(role.on_stored(Epoch{3})) == "master in 3");
  CHECK(role.is_master_of(Epoch{3}));
  CHECK(role.master() == 1);
  CHECK(slave_in(4).is_slave_in(Epoch{4}));
}

TEST_CASE("role: a newer reign ends the own one at once") {
  BrokerRole role = master_in(3);
  CHECK(list(role.on_reign(reign(5, 2))) == "end 3; store 5");
  CHECK(!role.is_master_of(Epoch{3}));
  CHECK(list(role.on_stored(Epoch{5})) == "follow 2 in 5");
  // Re-elected: a new reign too.
  CHECK(list(role.on_reign(reign(6, 1))) == "stop following; store and begin 6");
}

TEST_CASE("role: of what is over nothing is acted on") {
  BrokerRole role = slave_in(5);
  CHECK(list(role.on_reign(reign(4, 1))).empty());
  CHECK(list(role.on_peer_epoch(Epoch{5})).empty());
  CHECK(list(role.on_reign(reign(5, 2))).empty());
  CHECK(role.is_slave_in(Epoch{5}));
}

TEST_CASE("role: what is being stored can be overtaken") {
  BrokerRole role = registered();
  CHECK(list(role.on_reign(reign(3, 1))) == "store and begin 3");
  CHECK(list(role.on_reign(reign(4, 2))) == "store 4");
  CHECK(list(role.on_stored(Epoch{3})).empty());
  CHECK(list(role.on_stored(Epoch{4})) == "follow 2 in 4");
}

TEST_CASE("role: an own reign starts with the newest set, and with what the election knew") {
  BrokerRole role = registered();
  ReignInfo elected = reign(3, 1, 4);
  elected.members = {1, 2};
  elected.dead = {2};
  (void)role.on_reign(elected);
  (void)role.on_reign(reign(3, 1, 4));  // a later answer, which knows less
  const RoleActions actions = role.on_stored(Epoch{3});
  REQUIRE(actions.size() == 1);
  CHECK(std::get<BecomeMaster>(actions[0]).reign == elected);

  (void)role.on_reign(reign(5, 1, 6));
  ReignInfo cleaned = reign(5, 1, 7);
  (void)role.on_reign(cleaned);
  const RoleActions again = role.on_stored(Epoch{5});
  CHECK(std::get<BecomeMaster>(again.at(0)).reign == cleaned);
}

TEST_CASE("role: the set changes within a reign, never back") {
  BrokerRole role = master_in(3);
  ReignInfo info = reign(3, 1, 4);
  info.members = {1, 2};
  CHECK(list(role.on_reign(info)) == "set {1,2}");
  CHECK(list(role.on_reign(reign(3, 1, 3))).empty());
  // The controller takes the master for dead: it goes on until somebody else is.
  info.master.reset();
  info.set_epoch = SetEpoch{5};
  CHECK(list(role.on_reign(info)) == "set {1,2}");
  CHECK(role.is_master_of(Epoch{3}));
}

TEST_CASE("role: a master that starts again does not go on with its reign") {
  BrokerRole role = registered(3);
  CHECK(list(role.on_reign(reign(2, 1))).empty());
  CHECK(list(role.on_reign(reign(3, 1))) == "elect, over 3");
  CHECK(role.role() == Role::Waiting);
  CHECK(list(role.on_reign(reign(4, 1))) == "store and begin 4");
  // A slave that starts again goes on to follow.
  BrokerRole slave = registered(3);
  CHECK(list(slave.on_reign(reign(3, 2))) == "follow 2 in 3");
}

TEST_CASE("role: a replica that knows a newer reign stops this one") {
  BrokerRole role = master_in(3);
  CHECK(list(role.on_peer_epoch(Epoch{4})) == "end 3; store 4; ask");
  CHECK(list(role.on_stored(Epoch{4})).empty());
  CHECK(role.role() == Role::Waiting);
  CHECK(list(role.on_reign(reign(3, 1))).empty());
  CHECK(list(role.on_reign(reign(4, 2))) == "follow 2 in 4");
}

TEST_CASE("role: asks while it waits, and now and then otherwise") {
  BrokerRole role({.ask_interval = 500ms, .poll_interval = 5s}, 1, Epoch{});
  (void)role.on_registered(reign(0, {}));
  SteadyTime now{1h};
  CHECK(list(role.tick(now)) == "ask");
  CHECK(list(role.tick(now + 499ms)).empty());
  CHECK(list(role.tick(now + 500ms)) == "ask");
  (void)role.on_reign(reign(1, 2));
  (void)role.on_stored(Epoch{1});
  CHECK(list(role.tick(now + 501ms)) == "ask");
  CHECK(list(role.tick(now + 5s)).empty());
  CHECK(list(role.tick(now + 6s)) == "ask");
}

TEST_CASE("role: one election is asked for per question") {
  BrokerRole role = registered();
  CHECK(list(role.on_reign(reign(0, {}))).empty());
  CHECK(list(role.tick(SteadyTime{1h})) == "ask");
  CHECK(list(role.on_reign(reign(0, {}))) == "elect");
  CHECK(list(role.on_reign(reign(0, {}))).empty());
}

TEST_CASE("role: a master that moved is followed to its new address") {
  BrokerRole role = slave_in(3);
  ReignInfo info = reign(3, 2);
  info.master_address = "elsewhere";
  CHECK(list(role.on_reign(info)) == "stop following; follow 2 in 3");
  CHECK(list(role.on_reign(info)).empty());
}

TEST_CASE("role: a log that cannot be written is the end") {
  BrokerRole role = master_in(3);
  CHECK(list(role.on_log_failed()) == "end 3");
  CHECK(role.role() == Role::Failed);
  CHECK(!role.sends_heartbeats());
  CHECK(list(role.on_reign(reign(9, 1))).empty());
  CHECK(list(role.on_peer_epoch(Epoch{10})).empty());
  CHECK(list(role.on_stored(Epoch{3})).empty());
  CHECK(list(role.tick(SteadyTime{1h})).empty());
}
