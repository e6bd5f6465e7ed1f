// The part of GroupConsumer that says which queues it reads: shares, first offsets, locks.
#include <algorithm>
#include <random>
#include <utility>

#include "base/log.h"
#include "client/client_errc.h"
#include "client/group_consumer.h"
#include "client/queue_puller.h"
#include "client/rebalance.h"
#include "client/server_call.h"
#include "net/gather.h"

namespace rmq::client {
namespace {

// As Java: RebalanceService.java.
constexpr std::chrono::seconds kRebalanceInterval{20};
// After what did not come out as it should.
constexpr std::chrono::seconds kRebalanceAgain{1};
// How long a queue that goes to another member waits for listeners that have messages of it.
constexpr std::chrono::milliseconds kHandOverPatience{500};

bool is_retry_topic(const std::string& topic) { return topic.starts_with("%RETRY%"); }

}  // namespace

void GroupConsumer::rebalance_soon() {
  wanted_ = true;
  wake_.notify();
}

net::Task<> GroupConsumer::keep_balanced() {
  while (!tasks_.stopping()) {
    wanted_ = false;
    const bool balanced = co_await rebalance();
    if (wanted_ || tasks_.stopping()) continue;
    const std::chrono::seconds pause = balanced ? kRebalanceInterval : kRebalanceAgain;
    const net::Event wake = wake_.next();
    (void)co_await wake.wait_until(std::chrono::steady_clock::now() + pause);
  }
}

net::Task<> GroupConsumer::keep_committing() {
  for (;;) {
    const bool going_on = co_await tasks_.pause(options_.commit_interval);
    if (!going_on) break;
    co_await commit();
  }
}

net::Task<> GroupConsumer::keep_locks() {
  for (;;) {
    const bool going_on = co_await tasks_.pause(options_.lock_interval);
    if (!going_on) break;
    co_await lock_all();
  }
}

net::Task<bool> GroupConsumer::rebalance() {
  bool balanced = co_await restart_queues();
  std::set<MessageQueue> wanted;
  if (assigned_) {
    wanted.insert(assigned_->begin(), assigned_->end());
  } else {
    const auto subscriptions = subscriptions_;
    for (const auto& [topic, data] : subscriptions) {
      const Result<std::vector<MessageQueue>> share = co_await share_of(topic);
      if (share) {
        wanted.insert(share->begin(), share->end());
        continue;
      }
      log::debug("client", "cannot rebalance", kv("topic", topic),
                 kv("why", share.error().message()));
      balanced = false;
      for (const auto& [name, queue] : queues_) {
        if (name.topic == topic) wanted.insert(name);
      }
    }
  }
  if (tasks_.stopping()) co_return true;

  std::vector<std::function<net::Task<bool>()>> steps;
  for (const auto& [name, queue] : queues_) {
    if (wanted.erase(name) > 0) continue;
    steps.push_back([this, given = queue] { return give_up(given, kHandOverPatience); });
  }
  for (const MessageQueue& name : wanted) {
    steps.push_back([this, name] { return acquire(name, std::nullopt); });
  }
  const std::vector<bool> results = co_await net::gather<bool>(home(), std::move(steps));
  co_return balanced&& std::find(results.begin(), results.end(), false) == results.end();
}

net::Task<bool> GroupConsumer::restart_queues() {
  const auto wishes = restarts_;
  bool all = true;
  for (const auto& [name, wish] : wishes) {
    const auto newest = restarts_.find(name);  // may have changed while others restarted
    if (newest == restarts_.end()) continue;
    const Restart restart = newest->second;
    const auto found = queues_.find(name);
    if (found == queues_.end()) {
      // Yet to be acquired, or not this member's.
      const bool coming =
          assigned_ && std::find(assigned_->begin(), assigned_->end(), name) != assigned_->end();
      if (!coming) restarts_.erase(newest);
      continue;
    }
    queues_.erase(found);
    restarts_.erase(newest);
    log::info("client", "queue restarts at another offset", kv("group", options_.group),
              kv("topic", name.topic), kv("queue", name.queue_id),
              kv("offset", restart.offset.value));
    if (restart.commit == Commit::Yes) {
      offsets_->set(name, restart.offset);
      std::vector<MessageQueue> one{name};
      co_await offsets_->persist(std::move(one));
    }
    const bool acquired = co_await acquire(name, restart.offset);
    const auto successor = queues_.find(name);
    if (successor != queues_.end()) successor->second->restarted = true;
    all = all && acquired;
  }
  co_return all;
}

net::Task<Result<std::vector<MessageQueue>>> GroupConsumer::share_of(std::string topic) {
  RMQ_CO_TRY(const SharedRoute route, co_await client_.routes().get(topic, kGroupCallTimeout));
  if (broadcasts()) co_return route->readable();
  RMQ_CO_TRY(std::vector<std::string> ids, co_await member_ids(route));
  if (std::find(ids.begin(), ids.end(), client_.client_id()) == ids.end()) {
    // The broker has forgotten this member, or has not heard of it.
    co_await client_.heartbeats().beat();
    RMQ_CO_TRY(ids, co_await member_ids(route));
  }
  co_return allocate_averagely(route->readable(), std::move(ids), client_.client_id());
}

net::Task<Result<std::vector<std::string>>> GroupConsumer::member_ids(SharedRoute route) {
  // All brokers should say the same; any will do.
  std::vector<protocol::BrokerData> brokers = route->data().broker_datas;
  std::shuffle(brokers.begin(), brokers.end(), std::minstd_rand(std::random_device{}()));
  Error failure{ClientErrc::BrokerUnknown, "topic '" + route->topic() + "' is on no broker"};
  for (const protocol::BrokerData& broker : brokers) {
    const auto address = route->read_address(broker.broker_name, protocol::kMasterId);
    if (!address) continue;
    Result<std::vector<std::string>> ids =
        co_await consumer_ids(client_.rpc(), *address, options_.group);
    if (ids) co_return ids;
    failure = std::move(ids.error());
  }
  // A broker that was restarted knows of no member until one tells it.
  co_await client_.heartbeats().beat();
  client_.routes().expire(route->topic());
  co_return fail(std::move(failure));
}

net::Task<bool> GroupConsumer::acquire(MessageQueue queue, std::optional<QueueOffset> from) {
  bool locked = false;
  if (needs_locks()) {
    Result<SharedRoute> route = co_await client_.routes().get(queue.topic, kGroupCallTimeout);
    const auto address = route ? (*route)->master_address(queue.broker_name) : std::nullopt;
    if (!address) co_return false;
    std::vector<MessageQueue> one{queue};
    const Result<std::set<MessageQueue>> held =
        co_await lock_queues(client_.rpc(), *address, member(), std::move(one));
    locked = held && held->contains(queue);
    if (!locked) co_return false;  // the member that had it has not unlocked it yet
  }
  if (const auto wished = restarts_.find(queue); !from && wished != restarts_.end()) {
    from = wished->second.offset;
    restarts_.erase(wished);
  }
  if (!from) {
    const Result<QueueOffset> first = co_await first_offset(queue);
    if (!first) {
      log::debug("client", "no first offset", kv("topic", queue.topic),
                 kv("why", first.error().message()));
      co_return false;
    }
    from = *first;
  }
  if (tasks_.stopping()) {
    std::vector<MessageQueue> one{queue};
    if (locked) co_await unlock_all(std::move(one));
    co_return true;
  }
  const auto assigned = std::make_shared<AssignedQueue>(queue, *from);
  assigned->locked = locked;
  assigned->locked_at = std::chrono::steady_clock::now();
  assigned->last_lock_ms = client_.clock().now_ms();
  queues_[queue] = assigned;
  log::debug("client", "queue taken", kv("group", options_.group), kv("topic", queue.topic),
             kv("queue", queue.queue_id), kv("from", from->value));
  tasks_.spawn(home(), "pull queue", [this, assigned] { return pull_queue(*this, assigned); });
  co_return true;
}

// RebalancePushImpl.java, computePullFromWhereWithException.
net::Task<Result<QueueOffset>> GroupConsumer::first_offset(MessageQueue queue) {
  RMQ_CO_TRY(const std::optional<QueueOffset> kept, co_await offsets_->load(queue));
  if (kept) co_return *kept;
  const bool retry = is_retry_topic(queue.topic);
  switch (options_.from) {
    case ConsumeFrom::FirstOffset:
      break;  // what is gone already, the first pull skips
    case ConsumeFrom::LastOffset:
      if (retry) break;
      co_return co_await reader_.end_offset(queue);
    case ConsumeFrom::Timestamp:
      if (retry) co_return co_await reader_.end_offset(queue);
      co_return co_await reader_.offset_at(queue, options_.from_timestamp_ms);
  }
  co_return QueueOffset{0};
}

void GroupConsumer::forget(const QueuePtr& queue) {
  if (queue->given_up) return;
  queue->given_up = true;
  cached_bytes_ -= queue->messages.bytes();
}

net::Task<bool> GroupConsumer::give_up(QueuePtr queue, std::chrono::milliseconds patience) {
  const MessageQueue name = queue->queue;
  queue->close();
  (void)co_await queue->idle(std::chrono::steady_clock::now() + patience);
  forget(queue);
  std::vector<MessageQueue> one{name};
  co_await offsets_->persist(one);
  offsets_->forget(name);
  if (needs_locks()) co_await unlock_all(one);
  queues_.erase(name);
  log::debug("client", "queue given up", kv("group", options_.group), kv("topic", name.topic),
             kv("queue", name.queue_id));
  co_return true;
}

net::Task<> GroupConsumer::lock_all() {
  const auto queues = queues_;
  std::map<std::string, std::vector<MessageQueue>> by_address;
  for (const auto& [name, queue] : queues) {
    const Result<SharedRoute> route = co_await client_.routes().get(name.topic, kGroupCallTimeout);
    const auto address = route ? (*route)->master_address(name.broker_name) : std::nullopt;
    if (address) by_address[*address].push_back(name);
  }
  for (const auto& [address, names] : by_address) {
    const Result<std::set<MessageQueue>> held =
        co_await lock_queues(client_.rpc(), address, member(), names);
    if (!held) continue;  // valid for a while yet
    for (const MessageQueue& name : names) {
      const QueuePtr& queue = queues.at(name);
      queue->locked = held->contains(name);
      if (!queue->locked) continue;
      queue->locked_at = std::chrono::steady_clock::now();
      queue->last_lock_ms = client_.clock().now_ms();
      handler_.on_messages(queue);
    }
  }
}

net::Task<> GroupConsumer::unlock_all(std::vector<MessageQueue> queues) {
  std::map<std::string, std::vector<MessageQueue>> by_address;
  for (const MessageQueue& name : queues) {
    const Result<SharedRoute> route = co_await client_.routes().get(name.topic, kGroupCallTimeout);
    const auto address = route ? (*route)->master_address(name.broker_name) : std::nullopt;
    if (address) by_address[*address].push_back(name);
  }
  for (const auto& [address, names] : by_address) {
    const Result<> unlocked = co_await unlock_queues(client_.rpc(), address, member(), names);
    if (unlocked) continue;
    log::debug("client", "queues not unlocked", kv("why", unlocked.error().message()));
  }
}

}  // namespace rmq::client
