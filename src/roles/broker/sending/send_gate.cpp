#include "roles/broker/sending/send_gate.h"

#include <utility>

namespace rmq::roles::broker {

bool SendGate::keep(const std::shared_ptr<AppendTurn>& turn) {
  MutexLock lock(mutex_);
  if (!closed_) return false;
  kept_.push_back(turn);
  return true;
}

net::Event SendGate::opening() {
  MutexLock lock(mutex_);
  if (!closed_) opening_.set();
  return opening_;
}

void SendGate::close() {
  MutexLock lock(mutex_);
  opening_ = net::Event();
  closed_ = true;
}

SendGate::Turns SendGate::open() {
  MutexLock lock(mutex_);
  closed_ = false;
  opening_.set();
  return std::exchange(kept_, {});
}

}  // namespace rmq::roles::broker
