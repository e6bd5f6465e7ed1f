// Network: carries messages between nodes. Requests and answers may be delayed, overtake each
// other, be lost, or come twice, as the retries of real clients make them. Replicas talk in
// sessions, which are like TCP connections: what arrives arrives in order, and after a loss nothing
// does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "tests/replication/sim_message.h"
#include "tests/replication/sim_world.h"

namespace rmq::sim {

// The second copy of a message comes this late at most.
constexpr Ticks kLateMax = 2 * kSecond;

class Network {
 public:
  using Receiver = std::function<void(NodeId from, const Message& message)>;

  explicit Network(World& world) : world_(world) {}

  // What the links are like; faults change it.
  Ticks delay_min = 100;
  Ticks delay_max = 800;
  std::int64_t loss_percent = 0;
  std::int64_t twice_percent = 0;

  void attach(NodeId node, Receiver receiver) { receivers_[node] = std::move(receiver); }

  void send(NodeId from, NodeId to, const Message& message);

  // A session of `slave` with `master`; larger numbers are newer.
  std::uint64_t connect(NodeId slave, NodeId master);
  void send(std::uint64_t session, NodeId from, InSession message);
  void close(std::uint64_t session, NodeId from);

  // One direction of one link.
  void cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }
  void mend(NodeId from, NodeId to) { cuts_.erase({from, to}); }
  void mend_all() { cuts_.clear(); }
  bool is_open(NodeId from, NodeId to) const { return !cuts_.contains({from, to}); }

 private:
  struct Session {
    NodeId slave = 0;
    NodeId master = 0;
    std::uint64_t slave_life = 0;
    std::uint64_t master_life = 0;
    bool broken = false;
    Ticks last_arrival[2] = {0, 0};  // to the slave, to the master
  };

  void deliver(NodeId from, NodeId to, Ticks delay, const Message& message);
  void deliver_in(std::uint64_t number, NodeId from, NodeId to, const Message& message);

  World& world_;
  std::map<NodeId, Receiver> receivers_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::map<std::uint64_t, Session> sessions_;
  std::uint64_t next_session_ = 1;
};

}  // namespace rmq::sim
