#include "client/heartbeat.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "net/gather.h"

namespace rmq::client {
namespace {

// How often the loop looks for brokers that are new or have lost a connection.
constexpr std::chrono::seconds kLook{1};
// A broker that did not answer is told again after this.
constexpr std::chrono::seconds kAgain{5};

}  // namespace

net::Task<> Heartbeats::join_producer(std::string group) {
  {
    MutexLock lock(mutex_);
    ++producers_[group];
  }
  start_loop();
  co_await beat();
}

net::Task<bool> Heartbeats::join_consumer(std::string group, Describe describe) {
  {
    MutexLock lock(mutex_);
    if (!consumers_.emplace(group, std::move(describe)).second) co_return false;
  }
  start_loop();
  co_await beat();
  co_return true;
}

net::Task<> Heartbeats::leave_producer(std::string group) {
  {
    MutexLock lock(mutex_);
    const auto found = producers_.find(group);
    if (found == producers_.end() || --found->second > 0) co_return;
    producers_.erase(found);
  }
  co_await leave(std::move(group), GroupKind::Producer);
}

net::Task<> Heartbeats::leave_consumer(std::string group) {
  {
    MutexLock lock(mutex_);
    if (consumers_.erase(group) == 0) co_return;
  }
  co_await leave(std::move(group), GroupKind::Consumer);
}

net::Task<> Heartbeats::leave(std::string group, GroupKind kind) {
  if (!has_members() && beating_) {
    beating_ = false;
    const TaskGroup loop = loop_;
    loop.stop();
    (void)co_await loop.ended(SteadyTime::max());
  }
  std::vector<std::function<net::Task<Result<>>()>> calls;
  for (const KnownServer& server : routes_.servers()) {
    // Those that never heard of the group need not hear that it is gone.
    if (!due_.contains(server.address)) continue;
    GroupMember member{group, client_id_};
    calls.push_back([this, address = server.address, member, kind] {
      return unregister(rpc_, address, member, kind);
    });
  }
  const auto results = co_await net::gather<Result<>>(threads_.control(), std::move(calls));
  for (const Result<>& result : results) {
    if (!result) {
      log::debug("client", "not unregistered", kv("group", group),
                 kv("why", result.error().message()));
    }
  }
}

net::Task<> Heartbeats::beat() { co_await beat_due(true); }

protocol::HeartbeatData Heartbeats::data() {
  protocol::HeartbeatData data;
  data.client_id = client_id_;
  MutexLock lock(mutex_);
  for (const auto& [group, count] : producers_) data.producer_groups.push_back(group);
  for (const auto& [group, describe] : consumers_) data.consumers.push_back(describe());
  return data;
}

bool Heartbeats::has_members() {
  MutexLock lock(mutex_);
  return !producers_.empty() || !consumers_.empty();
}

net::Task<> Heartbeats::beat_due(bool all) {
  RMQ_ASSERT(threads_.control().is_current());
  if (const std::uint64_t closed = requests_.connections_closed(); closed != closed_seen_) {
    closed_seen_ = closed;
    all = true;
  }
  const protocol::HeartbeatData data = this->data();
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::string> addresses;
  std::vector<std::function<net::Task<Result<>>()>> calls;
  for (const KnownServer& server : routes_.servers()) {
    // Slaves serve consumers only.
    if (data.consumers.empty() && !server.is_master) continue;
    const auto due = due_.find(server.address);
    if (!all && due != due_.end() && now < due->second) continue;
    due_[server.address] = now + kHeartbeatInterval;
    addresses.push_back(server.address);
    calls.push_back(
        [this, address = server.address, data] { return send_heartbeat(rpc_, address, data); });
  }
  if (calls.empty()) co_return;
  const auto results = co_await net::gather<Result<>>(threads_.control(), std::move(calls));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) continue;
    due_[addresses[i]] = now + kAgain;
    log::debug("client", "heartbeat not answered", kv("why", results[i].error().message()));
  }
}

void Heartbeats::start_loop() {
  RMQ_ASSERT(threads_.control().is_current());
  if (beating_) return;
  beating_ = true;
  loop_ = TaskGroup();
  loop_.spawn(threads_.control(), "heartbeats",
              [this, loop = loop_] { return keep_beating(loop); });
}

net::Task<> Heartbeats::keep_beating(TaskGroup loop) {
  for (;;) {
    const bool going_on = co_await loop.pause(kLook);
    if (!going_on) break;
    co_await beat_due(false);
  }
}

}  // namespace rmq::client
