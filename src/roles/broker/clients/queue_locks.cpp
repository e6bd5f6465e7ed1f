#include "roles/broker/clients/queue_locks.h"

#include <algorithm>

#include "base/log.h"

namespace rmq::roles::broker {

using protocol::MessageQueue;

std::vector<MessageQueue> QueueLocks::lock(std::string_view group, std::string_view client_id,
                                           const std::vector<MessageQueue>& queues) {
  std::vector<MessageQueue> owned;
  if (queues.empty()) return owned;
  MutexLock lock(mutex_);
  auto& locks = groups_.try_emplace(std::string(group)).first->second;
  for (const MessageQueue& queue : queues) {
    const auto [it, is_new] = locks.try_emplace(queue);
    Lock& entry = it->second;
    if (!is_new && entry.client_id != client_id) {
      if (!expired(entry)) continue;
      log::warn("clients", "queue lock expired, another client takes it", kv("group", group),
                kv("topic", queue.topic), kv("queue", queue.queue_id), kv("from", entry.client_id),
                kv("to", client_id));
    }
    entry.client_id = client_id;
    entry.renewed = clock_.steady_now();
    owned.push_back(queue);
  }
  return owned;
}

void QueueLocks::unlock(std::string_view group, std::string_view client_id,
                        const std::vector<MessageQueue>& queues) {
  MutexLock lock(mutex_);
  const auto locks = groups_.find(group);
  if (locks == groups_.end()) return;
  for (const MessageQueue& queue : queues) {
    const auto it = locks->second.find(queue);
    if (it != locks->second.end() && it->second.client_id == client_id) locks->second.erase(it);
  }
  if (locks->second.empty()) groups_.erase(locks);
}

bool QueueLocks::all_expired(std::string_view group) const {
  MutexLock lock(mutex_);
  const auto locks = groups_.find(group);
  return locks == groups_.end() ||
         std::all_of(locks->second.begin(), locks->second.end(),
                     [this](const auto& entry) { return expired(entry.second); });
}

void QueueLocks::sweep() {
  MutexLock lock(mutex_);
  for (auto& [group, locks] : groups_) {
    std::erase_if(locks, [this](const auto& entry) { return expired(entry.second); });
  }
  std::erase_if(groups_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace rmq::roles::broker
