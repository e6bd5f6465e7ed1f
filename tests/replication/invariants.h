// Invariants: what must be true at every step, whatever fails. It is told of every change by those
// who make it, and throws a Violation.
//   - One epoch has one master, and only it writes and confirms in it.
//   - Two logs that have the same epoch at the same offset are the same up to there.
//   - A confirmed record never changes, and is in the log of every later master.
//   - A replica's log agrees with what is confirmed as far as the replica knows it to be.
//   - Answered with OK in sync mode: confirmed, and in two logs at least.
//   - What a consumer got in sync mode is confirmed.
//   - A group's offset is never behind the end of the log; no record is skipped.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/replication/sim_disk.h"
#include "tests/replication/sim_message.h"
#include "tests/replication/sim_options.h"
#include "tests/replication/sim_world.h"

namespace rmq::sim {

class Invariants {
 public:
  explicit Invariants(const Options& options) : options_(options) {}

  void watch(NodeId broker, const SimDisk& disk) { disks_[broker] = &disk; }

  // Records were written at the end of the broker's log, from `from` on.
  void on_written(NodeId broker, PhysicalOffset from);
  void on_reign(NodeId broker, Epoch epoch);
  void on_reign_end(NodeId broker);
  void on_confirmed(NodeId broker, Epoch epoch, PhysicalOffset confirmed);
  // A slave was told; `before`: what it was told before.
  void on_heard_confirmed(NodeId broker, PhysicalOffset before, PhysicalOffset confirmed);
  void on_cut(NodeId broker, PhysicalOffset to, PhysicalOffset confirmed);
  void on_group_offset(NodeId broker, QueueOffset committed);
  void on_answered(std::int64_t number, PhysicalOffset offset);
  void on_delivered(PhysicalOffset offset, const Record& record);

  // When all is well again and all logs are the same.
  void check_end(const SimDisk& disk) const;
  std::size_t confirmed_count() const { return confirmed_.size(); }
  std::size_t answered_count() const { return answered_.size(); }
  std::size_t reigns_count() const { return masters_.size(); }

 private:
  struct Written {
    std::int64_t number = 0;
    Epoch before;  // of the record before it
  };
  struct Reign {
    Epoch epoch;
    std::size_t checked = 0;  // so much of its log is known to be what is confirmed
  };

  void own_epoch(NodeId broker, Epoch epoch);
  void check_same(NodeId broker, std::size_t from, std::size_t to) const;

  const Options& options_;
  std::map<NodeId, const SimDisk*> disks_;
  std::map<Epoch, NodeId> masters_;
  std::map<NodeId, Reign> reigns_;  // those that go on
  std::map<std::pair<Epoch, std::size_t>, Written> written_;
  Records confirmed_;
  std::map<std::size_t, std::int64_t> answered_;       // numbers, by offset
  std::set<std::pair<std::size_t, Epoch>> delivered_;  // these two make a record
};

}  // namespace rmq::sim
