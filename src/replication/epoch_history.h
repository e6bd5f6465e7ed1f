// EpochHistory: which part of a log was written in which reign: (epoch, start offset), both
// growing. An entry ends where the next one starts, the last one where the log does; ends are
// derived, never stored, so that a cut cannot make them lie. When the log's oldest files go,
// entries stay: they are some bytes a reign, and another replica may have what they are of.
// Threads: a value. Crash: recovery calls truncate_suffix() with the end of the log it found, so
// a cut reaches the disk in the log first and here second.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

struct EpochEntry {
  Epoch epoch;
  PhysicalOffset start;

  friend bool operator==(const EpochEntry&, const EpochEntry&) = default;
};

class EpochHistory {
 public:
  EpochHistory() = default;
  // Errors: EpochsOutOfOrder.
  static Result<EpochHistory> from(const std::vector<EpochEntry>& entries);

  // A reign starts to write at `start`. A reign before it that wrote nothing leaves no trace: a
  // master that wins twice without a record in between needs an entry for the second reign.
  // Errors: EpochsOutOfOrder unless both numbers are at least, and the epoch above, the last ones.
  Result<> begin(Epoch epoch, PhysicalOffset start);
  // The log was cut to `end`: what begins there or later is gone.
  void truncate_suffix(PhysicalOffset end);

  const std::vector<EpochEntry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  std::optional<EpochEntry> last() const;
  // The entry that `offset` belongs to; none before the first.
  std::optional<EpochEntry> at(PhysicalOffset offset) const;
  // Where the part ends that `offset` belongs to, in a log that ends at `log_end`.
  PhysicalOffset end_of_part(PhysicalOffset offset, PhysicalOffset log_end) const;

  friend bool operator==(const EpochHistory&, const EpochHistory&) = default;

 private:
  std::vector<EpochEntry> entries_;
};

// One log as another replica sees it.
struct LogShape {
  const EpochHistory& history;
  PhysicalOffset end;
};

// Up to where two logs are the same for certain, by RocketMQ's rule: the newest epoch that both
// have with the same start, up to where the shorter of its two parts ends. Logs without a common
// epoch that were begun at the same place differ from there on; RocketMQ gives up on them, and a
// first master that lost its log could never be followed again. None otherwise.
std::optional<PhysicalOffset> consistent_point(const LogShape& mine, const LogShape& theirs);

// Where the part of a new reign starts. The first reign of all takes over a log that was written
// before there were epochs; otherwise those records would belong to none and could not be sent.
PhysicalOffset start_of_reign(const EpochHistory& history, PhysicalOffset log_begin,
                              PhysicalOffset log_end);

}  // namespace rmq::replication
