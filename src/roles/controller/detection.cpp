// Who lives, and the elections that nobody asks for: the half of Controller that time and closed
// connections drive.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "base/log.h"
#include "net/connection.h"
#include "net/port_probe.h"
#include "roles/controller/controller.h"

namespace rmq::roles::controller {
namespace {

using namespace std::chrono_literals;
using replication::Applied;
using replication::BrokerSet;
using replication::Election;
using replication::ReignInfo;
using replication::ReplicaKey;

// How late a silent broker is noticed.
constexpr std::chrono::milliseconds kTick = 50ms;
// After an election that could not be stored.
constexpr std::chrono::milliseconds kRetryPause = 1s;
// Until a master that others hear is asked for again.
constexpr std::chrono::milliseconds kAskAgain = 100ms;
constexpr std::chrono::milliseconds kProbePatience = 500ms;
constexpr std::chrono::milliseconds kProbePauseMax = 500ms;
constexpr std::size_t kEarlyMax = 10'000;

SteadyTime in(std::chrono::milliseconds pause) { return std::chrono::steady_clock::now() + pause; }

}  // namespace

bool Controller::is_on_record(const ReplicaKey& replica) const {
  const auto set = sets_.find(replica.first);
  return set != sets_.end() && set->second.knows(replica.second);
}

void Controller::heard(replication::Heartbeat beat, net::Connection& connection, bool set_notices) {
  const ReplicaKey replica{beat.set, beat.id};
  Heard heard{std::move(beat), connection.id(), set_notices, now()};
  if (is_on_record(replica)) {
    early_.erase(replica);
    note(heard);
  } else if (store_->is_shared() && early_.size() < kEarlyMax) {
    early_.insert_or_assign(replica, std::move(heard));
  }
}

void Controller::note(const Heard& heard) {
  replication::Heartbeat beat = heard.beat;
  const ReplicaKey replica{beat.set, beat.id};
  const std::chrono::milliseconds most = config.heartbeat_timeout_max;
  if (most > 0ms) beat.timeout = std::min(beat.timeout, most);
  if (liveness_->last_of(replica) == nullptr || is_dead(beat.set, beat.id)) {
    log::info("controller", "broker lives", kv("set", beat.set), kv("id", beat.id),
              kv("address", beat.address), kv("timeout_ms", beat.timeout.count()));
    outvoted_.erase(beat.set);
  }
  liveness_->on_heartbeat(beat, heard.connection, heard.at);
  if (heard.set_notices) {
    set_notices_.insert(replica);
  } else {
    set_notices_.erase(replica);
  }
}

void Controller::connection_closed(std::uint64_t connection) {
  for (auto& [replica, heard] : early_) heard.closed |= heard.connection == connection;
  for (const ReplicaKey& replica : liveness_->on_connection_closed(connection)) {
    const replication::Heartbeat* last = liveness_->last_of(replica);
    std::function<net::Task<>()> start = [this, replica, connection, address = last->address] {
      return probe(replica, connection, address);
    };
    net::spawn(threads.control(), "controller probe", std::move(start));
  }
}

// Whether all that is known of it is that this connection closed.
bool Controller::is_suspect(const ReplicaKey& replica, std::uint64_t connection) const {
  const std::vector<ReplicaKey> suspects = liveness_->on_connection_closed(connection);
  return std::ranges::find(suspects, replica) != suspects.end() &&
         !liveness_->is_dead(replica, now());
}

// A process that dies closes its connections before its port, or after it: asks until it speaks on
// another connection, or its time is up.
net::Task<> Controller::probe(ReplicaKey replica, std::uint64_t connection, std::string address) {
  std::chrono::milliseconds pause = 5ms;
  while (is_suspect(replica, connection)) {
    const bool refused =
        co_await net::port_refuses(resolver_, threads.control(), address, kProbePatience);
    if (refused) {
      liveness_->on_port_refused(replica, connection);
      tick();
      co_return;
    }
    const bool stopping = co_await stopping_.wait_until(in(pause));
    if (stopping) co_return;
    pause = std::min(2 * pause, kProbePauseMax);
  }
}

void Controller::tick() {
  for (const ReplicaKey& replica : liveness_->tick(now())) {
    const replication::Heartbeat* last = liveness_->last_of(replica);
    log::warn("controller", "broker is dead", kv("set", replica.first), kv("id", replica.second),
              kv("address", last->address));
  }
  for (const auto& [name, set] : sets_) {
    const auto tried = elections_.find(name);
    if (tried != elections_.end() && now() < tried->second) continue;
    if (!needs_election(set, *liveness_, config.enable_elect_unclean_master, now())) continue;
    elections_[name] = SteadyTime::max();
    std::function<net::Task<>()> start = [this, name = name] { return elect_unasked(name); };
    net::spawn(threads.control(), "controller election", std::move(start));
  }
}

net::Task<> Controller::tick_loop() {
  // Real time, not the Clock: what a test's clock says is looked at within one interval.
  SteadyTime last = std::chrono::steady_clock::now();
  for (;;) {
    const bool stopping = co_await stopping_.wait_until(in(kTick));
    if (stopping) co_return;
    const SteadyTime woken = std::chrono::steady_clock::now();
    if (woken - last > config.standstill) liveness_->postpone(woken - last);
    last = woken;
    tick();
  }
}

// Whether others hear the master that is silent here, and there is to be no election.
net::Task<bool> Controller::is_outvoted(std::string name) {
  const auto set = sets_.find(name);
  if (others_.empty() || set == sets_.end() || !set->second.master) co_return false;
  const ReplicaKey master{name, *set->second.master};
  if (liveness_->has_refused(master)) co_return false;  // no silence: it is gone
  const bool heard = co_await is_heard_by_others(master);
  if (heard && outvoted_.insert(name).second) {
    log::warn("controller", "master is silent, but other controllers hear it: no election",
              kv("set", name), kv("master", master.second));
  }
  if (!heard) outvoted_.erase(name);
  co_return heard;
}

net::Task<> Controller::elect_unasked(std::string name) {
  const bool outvoted = co_await is_outvoted(name);
  if (outvoted) {
    elections_[name] = now() + kAskAgain;
    co_return;
  }
  Rule<ReignInfo> rule = [this](const BrokerSet& set) -> Applied<ReignInfo> {
    const bool unclean = config.enable_elect_unclean_master;
    // Somebody may have been faster.
    if (!needs_election(set, *liveness_, unclean, now())) return unchanged(set, set.info());
    Election election;
    election.unclean = unclean;
    return elect(set, election, electorate(set));
  };
  const Result<Applied<ReignInfo>> done = co_await change<ReignInfo>(name, std::move(rule));
  if (!done) {
    log::error("controller", "an election failed, it is tried again", kv("set", name),
               kv("why", done.error().message()));
    elections_[name] = now() + kRetryPause;
    co_return;
  }
  elections_.erase(name);
  if (!done->changed) co_return;
  if (!done->answer) {
    log::warn("controller", "master is dead, and no member of the SyncStateSet lives",
              kv("set", name), kv("members", to_string(done->value.members)));
    co_return;
  }
  const ReignInfo& reign = *done->answer;
  log::info("controller", "master elected", kv("set", name), kv("master", *reign.master),
            kv("address", reign.master_address), kv("epoch", reign.epoch.value),
            kv("dead", to_string(reign.dead)));
  tell(done->value, reign, Audience::All);
}

}  // namespace rmq::roles::controller
