#include "roles/broker/pulling/long_polls.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rmq::roles::broker {
namespace {

bool wants(const HeldPull& pull, const storage::Arrival& arrival) {
  if (arrival.offset < pull.from) return false;
  return pull.tags == nullptr || pull.tags->matches(static_cast<std::int32_t>(arrival.tag_code));
}

}  // namespace

bool LongPolls::hold(const storage::Queue& queue, HeldPull pull) {
  if (held() >= kHeldMax) return false;
  MutexLock lock(mutex_);
  queues_[&queue].push_back(std::move(pull));
  // Both sides read and write held_ in one step: either on_arrival() sees this pull, or the
  // caller's second look at the queue sees the message.
  held_.fetch_add(1, std::memory_order_acq_rel);
  return true;
}

template <class Ready>
void LongPolls::take(Held& from, Held& into, const Ready& ready) {
  const auto rest =
      std::stable_partition(from.begin(), from.end(), [&](const HeldPull& p) { return !ready(p); });
  held_.fetch_sub(static_cast<std::size_t>(from.end() - rest));
  std::move(rest, from.end(), std::back_inserter(into));
  from.erase(rest, from.end());
}

void LongPolls::run(Held pulls) {
  for (HeldPull& pull : pulls) {
    pull.connection->post([this, command = std::move(pull.command)](net::Connection& connection) {
      again_(connection, *command);
    });
  }
}

void LongPolls::wake(const storage::Queue& queue) {
  Held ready;
  {
    MutexLock lock(mutex_);
    const auto found = queues_.find(&queue);
    if (found == queues_.end()) return;
    take(found->second, ready, [](const HeldPull&) { return true; });
    queues_.erase(found);
  }
  run(std::move(ready));
}

void LongPolls::on_arrival(std::span<const storage::Arrival> arrivals) {
  if (held_.fetch_add(0, std::memory_order_acq_rel) == 0) return;
  Held ready;
  {
    MutexLock lock(mutex_);
    for (const storage::Arrival& arrival : arrivals) {
      const auto found = queues_.find(arrival.queue);
      if (found == queues_.end()) continue;
      take(found->second, ready, [&](const HeldPull& pull) { return wants(pull, arrival); });
      if (found->second.empty()) queues_.erase(found);
    }
  }
  run(std::move(ready));
}

void LongPolls::sweep(SteadyTime now,
                      const std::function<QueueOffset(const storage::Queue&)>* end_of) {
  Held ready;
  {
    MutexLock lock(mutex_);
    for (auto it = queues_.begin(); it != queues_.end();) {
      const QueueOffset end = end_of != nullptr ? (*end_of)(*it->first) : QueueOffset{0};
      take(it->second, ready, [&](const HeldPull& pull) {
        return pull.deadline <= now || pull.connection->closed() ||
               (end_of != nullptr && end > pull.from);
      });
      it = it->second.empty() ? queues_.erase(it) : std::next(it);
    }
  }
  run(std::move(ready));
}

}  // namespace rmq::roles::broker
