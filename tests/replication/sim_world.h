// World: the time of a simulation, its events in their order, and what is true of each node: up or
// down, frozen, how far its clock is off. One seed is one history.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/replication/sim_random.h"

namespace rmq::sim {

// Microseconds since the simulation began.
using Ticks = std::int64_t;
constexpr Ticks kMillisecond = 1'000;
constexpr Ticks kSecond = 1'000'000;

// Brokers are 1 to 5, which is their replica id too; then controllers, the store, clients.
using NodeId = std::int64_t;
constexpr NodeId kFirstController = 11;
constexpr NodeId kStore = 20;
constexpr NodeId kFirstProducer = 31;
constexpr NodeId kConsumer = 41;
std::string name_of(NodeId node);

// An invariant does not hold.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Tracing { Off, LastLines, All };

class World {
 public:
  using Event = std::function<void()>;

  World(std::uint64_t seed, Tracing tracing) : random(seed), tracing_(tracing) {}

  Random random;

  Ticks now() const { return now_; }
  std::int64_t steps() const { return steps_; }
  // What the node's own steady clock shows.
  SteadyTime clock(NodeId node);

  // Something that happens to a process; not, when it is gone by then. A frozen one gets to it when
  // it wakes, in the order in which it came, however often it was frozen in between.
  void at(NodeId node, Ticks delay, Event event);
  // Something that happens whoever lives.
  void outside(Ticks delay, Event event);
  // The next event; false when there is none.
  bool step();

  bool is_up(NodeId node) { return nodes_[node].up; }
  bool is_frozen(NodeId node) { return nodes_[node].frozen_until > now_; }
  // Counts the processes that the node has had.
  std::uint64_t life(NodeId node) { return nodes_[node].life; }
  void set_up(NodeId node);
  void set_down(NodeId node);
  // A frozen one wakes after the last `duration` that was given.
  void freeze(NodeId node, Ticks duration);
  void move_clock(NodeId node, Ticks by) { nodes_[node].clock_offset += by; }

  // A line of the trace; `format` as for printf.
  bool tracing() const { return tracing_ != Tracing::Off; }
  void note(NodeId node, const char* format, ...) __attribute__((format(printf, 3, 4)));
  const std::deque<std::string>& last_lines() const { return lines_; }

 private:
  struct Planned {
    Ticks time = 0;
    std::uint64_t number = 0;  // those of one moment happen in this order
    NodeId node = 0;           // 0: outside
    std::uint64_t life = 0;
    Event event;
  };
  struct Node {
    bool up = false;
    std::uint64_t life = 0;
    Ticks frozen_until = 0;
    std::deque<Planned> waiting;  // what came while it was frozen, in that order
    Ticks clock_offset = 0;
  };
  static bool is_gone(const Node& node, const Planned& planned) {
    return !node.up || node.life != planned.life;
  }
  static bool is_later(const Planned& a, const Planned& b) {
    return a.time != b.time ? a.time > b.time : a.number > b.number;
  }
  void plan(Planned planned);
  void wake(NodeId node);

  const Tracing tracing_;
  Ticks now_ = 0;
  std::int64_t steps_ = 0;
  std::uint64_t next_number_ = 0;
  std::vector<Planned> heap_;
  std::map<NodeId, Node> nodes_;
  std::deque<std::string> lines_;
};

}  // namespace rmq::sim
