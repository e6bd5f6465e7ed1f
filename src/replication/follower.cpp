#include "replication/follower.h"

#include <algorithm>
#include <string>
#include <utility>

#include "replication/replication_errc.h"

namespace rmq::replication {

Follower::Follower(FollowerConfig config, Epoch reign, FollowerLog log)
    : config_(config),
      reign_(reign),
      log_(std::move(log)),
      written_(log_.end),
      confirmed_(log_.confirmed) {}

SlaveHandshake Follower::handshake() const {
  return {config_.self, config_.learner, config_.from_last_segment};
}

Result<Cut> Follower::on_handshake(const MasterHandshake& theirs) {
  if (state_ != State::Handshake) return fail(ReplicationErrc::UnexpectedMessage, "handshake");
  if (theirs.epoch < reign_) return fail(ReplicationErrc::StaleEpoch);
  if (theirs.epoch > reign_) return fail(ReplicationErrc::NewerEpoch);
  Cut cut{log_.end, {}};
  PhysicalOffset& to = cut.to;
  if (log_.history.empty() && log_.end != log_.begin) {
    // Without epochs nothing else says whether the logs are the same.
    const bool covered =
        !theirs.history.empty() && theirs.history.entries().front().start <= log_.begin;
    if (!log_.is_copy || !covered) return fail(ReplicationErrc::LogWithoutEpochs);
    to = std::min(log_.end, theirs.end);
    log_.history = theirs.history;
    log_.history.truncate_suffix(to);
    cut.adopted = log_.history;
  } else if (!log_.history.empty()) {
    const std::optional<PhysicalOffset> common =
        consistent_point({log_.history, log_.end}, {theirs.history, theirs.end});
    if (!common || *common < log_.begin) return fail(ReplicationErrc::NoCommonPoint);
    to = *common;
  }
  theirs_ = theirs.history;
  log_.end = to;
  log_.history.truncate_suffix(to);
  state_ = State::Cutting;
  return cut;
}

Report Follower::on_cut() {
  state_ = State::Transfer;
  written_ = flushed_ = reported_ = log_.end;
  confirmed_ = std::min(confirmed_, log_.end);
  return {reported_};
}

Result<std::optional<Append>> Follower::on_block(const BlockHead& head) {
  if (state_ != State::Transfer) return fail(ReplicationErrc::UnexpectedMessage, "block");
  const bool is_empty = log_.end == log_.begin && log_.history.empty();
  if (head.bytes < 0 || (head.offset != log_.end && !is_empty)) {
    return fail(ReplicationErrc::OffsetOutOfPlace,
                std::to_string(head.offset.value) + " at " + std::to_string(log_.end.value));
  }
  std::optional<Append> append;
  if (head.bytes > 0) {
    RMQ_TRY(const std::optional<EpochEntry> begins, entry_begun_by(head));
    if (begins) RMQ_CHECK(log_.history.begin(begins->epoch, begins->start));
    // An empty log begins where the master's does.
    if (is_empty) log_.begin = written_ = flushed_ = head.offset;
    log_.end = head.end();
    append = Append{head.offset, head.bytes, begins};
  }
  heard_confirmed_ = std::max(heard_confirmed_, head.confirmed);
  update_confirmed();
  return append;
}

// A block belongs to the epoch that it names, except that RocketMQ's masters give the last block of
// an old epoch the number and the start of the next one. That start is behind the block then, and
// the handshake says which epoch it is.
Result<std::optional<EpochEntry>> Follower::entry_begun_by(const BlockHead& head) const {
  EpochEntry entry{head.epoch, head.epoch_start};
  if (entry.start > head.offset) {
    const std::optional<EpochEntry> old = theirs_.at(head.offset);
    if (!old) return fail(ReplicationErrc::EpochsDisagree, "a block of no epoch");
    entry = *old;
  }
  if (entry.epoch > reign_) return fail(ReplicationErrc::NewerEpoch);
  const std::optional<EpochEntry> last = log_.history.last();
  if (!last) return std::optional(entry);
  if (entry.epoch < last->epoch) return fail(ReplicationErrc::StaleEpoch, "block");
  if (entry == *last) return std::optional<EpochEntry>();
  // A new part begins exactly at the own end.
  if (entry.epoch == last->epoch || entry.start != head.offset) {
    return fail(ReplicationErrc::EpochsDisagree, std::to_string(entry.epoch.value));
  }
  return std::optional(entry);
}

std::optional<Report> Follower::on_written(PhysicalOffset end) {
  if (state_ != State::Transfer || end > log_.end) return std::nullopt;
  written_ = std::max(written_, end);
  update_confirmed();
  return news();
}

std::optional<Report> Follower::on_flushed(PhysicalOffset end) {
  if (state_ != State::Transfer || end > log_.end) return std::nullopt;
  flushed_ = std::max(flushed_, end);
  return news();
}

void Follower::update_confirmed() {
  confirmed_ = std::max(confirmed_, std::min(heard_confirmed_, written_));
}

std::optional<Report> Follower::news() {
  const PhysicalOffset acknowledged = config_.ack_flushed ? std::min(flushed_, written_) : written_;
  if (acknowledged <= reported_) return std::nullopt;
  reported_ = acknowledged;
  return Report{reported_};
}

}  // namespace rmq::replication
