#include "tests/replication/sim_network.h"

#include <algorithm>

namespace rmq::sim {
void Network::send(NodeId from, NodeId to, const Message& message) {
  if (world_.random.percent(loss_percent)) return;
  deliver(from, to, world_.random.between(delay_min, delay_max), message);
  if (world_.random.percent(twice_percent)) {
    const Ticks late = std::min(20 * delay_max, kLateMax);
    deliver(from, to, world_.random.between(delay_min, late), message);
  }
}

void Network::deliver(NodeId from, NodeId to, Ticks delay, const Message& message) {
  if (!is_open(from, to)) return;
  world_.outside(delay, [this, from, to, message] {
    // What comes to a process that is not there, or is cut off now, is lost.
    if (!is_open(from, to) || !world_.is_up(to)) return;
    world_.at(to, 0, [this, from, to, message] { receivers_[to](from, message); });
  });
}

std::uint64_t Network::connect(NodeId slave, NodeId master) {
  const std::uint64_t number = next_session_++;
  Session& session = sessions_[number];
  session.slave = slave;
  session.master = master;
  session.slave_life = world_.life(slave);
  session.master_life = world_.life(master);
  session.broken = !world_.is_up(master);
  return number;
}

void Network::send(std::uint64_t number, NodeId from, InSession message) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end() || found->second.broken) return;
  Session& session = found->second;
  const NodeId to = from == session.slave ? session.master : session.slave;
  if (!is_open(from, to)) {
    session.broken = true;
    return;
  }
  message.session = number;
  Ticks& last = session.last_arrival[to == session.master ? 1 : 0];
  last = std::max(last, world_.now() + world_.random.between(delay_min, delay_max));
  world_.outside(last - world_.now(), [this, number, from, to, message = Message(message)] {
    deliver_in(number, from, to, message);
  });
}

void Network::deliver_in(std::uint64_t number, NodeId from, NodeId to, const Message& message) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end() || found->second.broken) return;
  const std::uint64_t life =
      to == found->second.slave ? found->second.slave_life : found->second.master_life;
  if (!is_open(from, to)) {
    found->second.broken = true;
    return;
  }
  if (!world_.is_up(to) || world_.life(to) != life) {
    // The other machine answers that it knows no such connection.
    found->second.broken = true;
    if (is_open(to, from)) deliver(to, from, delay_min, InSession{number, Closed{}});
    return;
  }
  world_.at(to, 0, [this, from, to, message] { receivers_[to](from, message); });
}

void Network::close(std::uint64_t number, NodeId from) {
  send(number, from, InSession{number, Closed{}});
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return;
  // What is on its way still arrives, the closing behind it; then the session is forgotten.
  world_.outside(30 * kSecond, [this, number] { sessions_.erase(number); });
}

}  // namespace rmq::sim
