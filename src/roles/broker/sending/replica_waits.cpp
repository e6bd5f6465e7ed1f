#include "roles/broker/sending/replica_waits.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "net/await.h"
#include "net/net_errc.h"

namespace rmq::roles::broker {
namespace {

// While anything waits: who comes later may have less time.
constexpr std::chrono::milliseconds kLookMax{100};

}  // namespace

void ReplicaWaits::wait(Mark& mark, ConfirmedOffset at, SteadyTime deadline, Then then) {
  const auto shared = std::make_shared<Then>(std::move(then));
  Mark::Callback callback = [shared](Result<> outcome) { (*shared)(outcome); };
  const auto ticket = mark.when_at_least(at, std::move(callback));
  if (!ticket) return;
  bool watched = true;
  {
    MutexLock lock(mutex_);
    // Most are over long before their time, in the order of their deadlines.
    while (!entries_.empty() && entries_.begin()->second.is_over()) {
      entries_.erase(entries_.begin());
    }
    entries_.emplace_hint(entries_.end(), deadline, Entry{&mark, *ticket, shared});
    watched = std::exchange(watched_, true);
  }
  if (watched) return;
  std::function<net::Task<>()> loop = [this] { return watch(); };
  net::spawn(thread_, "replica waits", std::move(loop));
}

// Until nothing waits.
net::Task<> ReplicaWaits::watch() {
  for (;;) {
    const SteadyTime next = expire();
    if (next == SteadyTime::max()) co_return;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
    co_await net::sleep_for(std::min(left, kLookMax));
  }
}

// Ends those whose time is up. The next deadline; max(): there is none, and nobody watches now.
SteadyTime ReplicaWaits::expire() {
  std::vector<Entry> late;
  SteadyTime next = SteadyTime::max();
  {
    MutexLock lock(mutex_);
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto end = entries_.upper_bound(now);
    for (auto it = entries_.begin(); it != end; ++it) late.push_back(std::move(it->second));
    entries_.erase(entries_.begin(), end);
    std::erase_if(entries_, [](const auto& entry) { return entry.second.is_over(); });
    watched_ = !entries_.empty();
    if (watched_) next = entries_.begin()->first;
  }
  for (const Entry& entry : late) {
    if (entry.mark->cancel(entry.ticket)) (*entry.then)(fail(net::NetErrc::TimedOut));
  }
  return next;
}

}  // namespace rmq::roles::broker
