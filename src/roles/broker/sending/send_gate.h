// SendGate: keeps what clients send while the broker changes what it is. Nothing is refused: it is
// taken a moment later.
// Threads: any; close() and open() one at a time.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "net/await.h"

namespace rmq::roles::broker {

struct AppendTurn;

class SendGate {
 public:
  using Turns = std::vector<std::shared_ptr<AppendTurn>>;

  bool is_closed() const { return closed_.load(std::memory_order_acquire); }
  // Keeps a turn; false when the gate is open.
  bool keep(const std::shared_ptr<AppendTurn>& turn);
  // Set when the gate opens next; at once when it is open.
  net::Event opening();

  // Who has looked at is_closed() before may still be about to append.
  void close();
  // What was kept, in its order.
  Turns open();

 private:
  std::atomic<bool> closed_{false};
  Mutex mutex_;
  Turns kept_ RMQ_GUARDED_BY(mutex_);
  net::Event opening_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::roles::broker
