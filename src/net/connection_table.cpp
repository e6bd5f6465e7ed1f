#include "net/connection_table.h"

#include <atomic>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "net/net_limits.h"

namespace rmq::net {
namespace {

std::atomic<std::size_t> g_partial_bytes{0};
// Somebody was refused; cleared by the sweeps once there is room again.
std::atomic<bool> g_partial_exhausted{false};

}  // namespace

void ConnectionTable::schedule() {
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](std::error_code error) {
    if (error) return;
    sweep();
    schedule();
  });
}

void ConnectionTable::sweep() {
  // A connection that closes removes itself, so collect first.
  std::vector<std::shared_ptr<Connection>> alive;
  alive.reserve(connections_.size());
  for (const auto& [id, weak] : connections_) {
    if (auto connection = weak.lock()) alive.push_back(std::move(connection));
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& connection : alive) connection->sweep(now);
}

bool PartialBudget::change(std::size_t before, std::size_t after) {
  std::size_t total = g_partial_bytes.load(std::memory_order_relaxed);
  for (;;) {
    const std::size_t others = total - before;
    if (after > before && others + after > kPartialBudgetBytes && others > 0) {
      g_partial_exhausted.store(true, std::memory_order_relaxed);
      return false;
    }
    if (g_partial_bytes.compare_exchange_weak(total, others + after, std::memory_order_relaxed)) {
      if (others + after < kPartialBudgetBytes / 2) {
        g_partial_exhausted.store(false, std::memory_order_relaxed);
      }
      return true;
    }
  }
}

void PartialBudget::force(std::size_t bytes) {
  g_partial_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

bool PartialBudget::exhausted() { return g_partial_exhausted.load(std::memory_order_relaxed); }
std::size_t PartialBudget::used() { return g_partial_bytes.load(std::memory_order_relaxed); }

}  // namespace rmq::net
