// Follower: a slave's end of one session with its master: handshake, the cut of what the master
// does not have, then blocks of the log. The caller owns log, history file and connection, and does
// what is returned, in this order: on_handshake -> cut the log and sync it -> on_cut -> send the
// report -> on_block, append, on_written, on_flushed -> send the reports.
// A session lives in one reign. Every error ends it; the caller connects again after a while.
// Threads: one. Crash: nothing of it is kept.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/units.h"
#include "replication/epoch_history.h"
#include "replication/message.h"
#include "replication/replica_ids.h"

namespace rmq::replication {

struct FollowerConfig {
  ReplicaId self = 0;
  bool learner = false;
  // What a report acknowledges: flushed, or only written.
  bool ack_flushed = false;
  bool from_last_segment = false;
};

// The own log when the session starts.
struct FollowerLog {
  EpochHistory history;
  PhysicalOffset begin;
  PhysicalOffset end;
  PhysicalOffset confirmed;
  // It was copied, without epochs, from whoever was the master of this set then: as far as it goes
  // it is the master's, and gets the master's epochs.
  bool is_copy = false;
};

// The log, the queues, the index, group offsets and timers are cut to `to`, and the log is synced,
// also when nothing is to be cut: the first report acknowledges all of it. Only then the history.
struct Cut {
  PhysicalOffset to;
  // The history of a log that had none.
  std::optional<EpochHistory> adopted;
};

// `bytes` are written at `offset`; before them, on disk, `begins` joins the epoch history.
struct Append {
  PhysicalOffset offset;
  std::int64_t bytes = 0;
  std::optional<EpochEntry> begins;
};

class Follower {
 public:
  // `reign`: the epoch of the master that is followed.
  Follower(FollowerConfig config, Epoch reign, FollowerLog log);

  SlaveHandshake handshake() const;
  // Errors: StaleEpoch: the peer's reign is over. NewerEpoch: BrokerRole::on_peer_epoch must hear
  // of it. NoCommonPoint and LogWithoutEpochs: the replica must be seeded again.
  Result<Cut> on_handshake(const MasterHandshake& theirs);
  Report on_cut();

  // What to append; nothing for a heartbeat.
  // Errors: OffsetOutOfPlace, StaleEpoch, EpochsDisagree, NewerEpoch, UnexpectedMessage.
  Result<std::optional<Append>> on_block(const BlockHead& head);
  // The end of the log that is written, or on disk. A report, when there is something new to say.
  std::optional<Report> on_written(PhysicalOffset end);
  std::optional<Report> on_flushed(PhysicalOffset end);
  // What was said last: for an idle connection.
  Report report() const { return {reported_}; }

  // All up to here is confirmed, and is in the own log.
  PhysicalOffset confirmed() const { return confirmed_; }
  // Up to here the own log is the master's; before the cut nobody knows. What a master says about
  // places in its log, group offsets above all, holds for this part of the own log only.
  std::optional<PhysicalOffset> shared_end() const {
    return transferring() ? std::optional(written_) : std::nullopt;
  }
  bool transferring() const { return state_ == State::Transfer; }

 private:
  enum class State { Handshake, Cutting, Transfer };

  Result<std::optional<EpochEntry>> entry_begun_by(const BlockHead& head) const;
  void update_confirmed();
  std::optional<Report> news();

  const FollowerConfig config_;
  const Epoch reign_;
  FollowerLog log_;  // end: of what was accepted, written or not
  EpochHistory theirs_;
  State state_ = State::Handshake;
  PhysicalOffset written_;
  PhysicalOffset flushed_;
  PhysicalOffset reported_;
  PhysicalOffset heard_confirmed_;
  PhysicalOffset confirmed_;
};

}  // namespace rmq::replication
