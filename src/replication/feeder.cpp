#include "replication/feeder.h"

#include <algorithm>
#include <string>

#include "replication/replication_errc.h"

namespace rmq::replication {

Feeder::Feeder(FeederConfig config, Epoch reign) : config_(config), reign_(reign) {}

Result<MasterHandshake> Feeder::on_handshake(const SlaveHandshake& theirs, const FeederLog& log) {
  if (state_ != State::Handshake) return fail(ReplicationErrc::UnexpectedMessage, "handshake");
  state_ = State::FirstReport;
  slave_ = theirs;
  return MasterHandshake{log.end, reign_, log.history};
}

Result<> Feeder::on_report(const Report& report, const FeederLog& log) {
  if (state_ == State::Handshake) return fail(ReplicationErrc::UnexpectedMessage, "report");
  if (report.offset > log.end) {
    return fail(ReplicationErrc::AckBeyondEnd, std::to_string(report.offset.value));
  }
  if (state_ == State::Transfer) {
    // An empty slave repeats its 0 until the first block has come.
    if (report.offset < acked_ && report.offset != PhysicalOffset{}) {
      return fail(ReplicationErrc::AckWentBack, std::to_string(report.offset.value));
    }
    acked_ = std::max(acked_, report.offset);
    return {};
  }
  if (report.offset == PhysicalOffset{}) {
    position_ = slave_.from_last_segment ? log.last_segment : log.begin;
  } else if (report.offset < log.begin) {
    return fail(ReplicationErrc::BehindBegin, std::to_string(report.offset.value));
  } else {
    position_ = report.offset;
  }
  acked_ = position_;
  state_ = State::Transfer;
  return {};
}

std::optional<BlockHead> Feeder::next(const FeederLog& log, SteadyTime now) {
  if (state_ != State::Transfer) return std::nullopt;
  BlockHead head;
  head.offset = position_;
  head.confirmed = log.confirmed;
  const std::int64_t room =
      std::min(config_.block_bytes_max, config_.window_bytes - (position_ - acked_));
  const std::optional<EpochEntry> entry = log.history.at(position_);
  if (room > 0 && position_ < log.end && entry) {
    head.bytes = std::min(room, log.history.end_of_part(position_, log.end) - position_);
  } else {
    const auto silence = now - sent_at_;
    const bool has_news = log.confirmed > confirmed_sent_ && silence >= config_.confirmed_news;
    if (!has_news && silence < config_.heartbeat) return std::nullopt;
  }
  // A heartbeat at the very start of a part names the part before it, if any: it begins no epoch.
  const std::optional<EpochEntry> named = entry ? entry : log.history.last();
  if (named) {
    head.epoch = named->epoch;
    head.epoch_start = named->start;
  }
  position_ += head.bytes;
  confirmed_sent_ = log.confirmed;
  sent_at_ = now;
  return head;
}

}  // namespace rmq::replication
