// SimDisk: what one broker has on disk: a log of records of which a part is flushed, the epoch
// history, the newest epoch seen, a consumer group's offset. The death of a process leaves all that
// was written; a power cut takes any part of what was not flushed.
// An offset counts records; a record is one "byte".
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "replication/epoch_history.h"
#include "tests/replication/sim_message.h"
#include "tests/replication/sim_world.h"

namespace rmq::sim {

struct SimDisk {
  Records log;
  std::size_t flushed_count = 0;
  EpochHistory history;  // replaced and synced as a whole
  Epoch seen;
  QueueOffset saved_offset;
  std::uint64_t cuts = 0;  // a flush that began before a cut says nothing about what came after
  Ticks flush_time = 2 * kMillisecond;
  Ticks write_time = 100;

  PhysicalOffset end() const { return PhysicalOffset{static_cast<std::int64_t>(log.size())}; }
  PhysicalOffset flushed() const {
    return PhysicalOffset{static_cast<std::int64_t>(flushed_count)};
  }
  QueueOffset queue_end() const { return QueueOffset{static_cast<std::int64_t>(log.size())}; }

  Records read(PhysicalOffset from, PhysicalOffset to) const {
    return {log.begin() + from.value, log.begin() + to.value};
  }
  void flush(PhysicalOffset to) {
    flushed_count = std::max(flushed_count, static_cast<std::size_t>(to.value));
  }
  // Is synced.
  void cut(PhysicalOffset to) {
    log.resize(static_cast<std::size_t>(to.value));
    history.truncate_suffix(to);
    flushed_count = log.size();
    ++cuts;
  }
  void lose_unflushed(Random& random) {
    const auto least = static_cast<std::int64_t>(flushed_count);
    log.resize(
        static_cast<std::size_t>(random.between(least, static_cast<std::int64_t>(log.size()))));
    flushed_count = log.size();
    ++cuts;
  }
};

}  // namespace rmq::sim
