// Feeder: a master's end of one session with a slave: the answer to its handshake, then which block
// of the log is sent next. Flow control is a window of bytes that are not acknowledged yet, not a
// round trip per block. A block never crosses an epoch.
// The caller reads the log, and passes each report to SyncSet::on_ack too. Every error ends the
// session. Threads: one. Crash: nothing of it is kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "replication/epoch_history.h"
#include "replication/message.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

struct FeederConfig {
  std::int64_t block_bytes_max = 32 * 1024;
  std::int64_t window_bytes = 8 * 1024 * 1024;
  std::chrono::milliseconds heartbeat{5'000};
  // At least this long between two blocks that say only how far confirmed has come.
  std::chrono::milliseconds confirmed_news{20};
};

// The master's log as it is now.
struct FeederLog {
  const EpochHistory& history;
  PhysicalOffset begin;
  PhysicalOffset last_segment;
  PhysicalOffset end;
  PhysicalOffset confirmed;
};

class Feeder {
 public:
  Feeder(FeederConfig config, Epoch reign);

  // Errors: UnexpectedMessage.
  Result<MasterHandshake> on_handshake(const SlaveHandshake& theirs, const FeederLog& log);
  // Errors: UnexpectedMessage, AckBeyondEnd, AckWentBack, BehindBegin.
  Result<> on_report(const Report& report, const FeederLog& log);
  // What to send now; nothing when there is nothing, or the window is full.
  std::optional<BlockHead> next(const FeederLog& log, SteadyTime now);

  bool transferring() const { return state_ == State::Transfer; }
  PhysicalOffset position() const { return position_; }  // of the next block
  const SlaveHandshake& slave() const { return slave_; }

 private:
  enum class State { Handshake, FirstReport, Transfer };

  const FeederConfig config_;
  const Epoch reign_;
  State state_ = State::Handshake;
  SlaveHandshake slave_;
  PhysicalOffset position_;  // of the next block
  PhysicalOffset acked_;
  PhysicalOffset confirmed_sent_;
  SteadyTime sent_at_;
};

}  // namespace rmq::replication
