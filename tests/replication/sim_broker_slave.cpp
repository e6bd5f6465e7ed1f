// SimBroker as slave.
#include <utility>

#include "replication/group_offset.h"
#include "replication/replication_errc.h"
#include "tests/replication/sim_broker.h"

namespace rmq::sim {
namespace {

constexpr std::chrono::milliseconds kSilenceMax{1'000};
constexpr std::chrono::milliseconds kReportInterval{300};
constexpr std::chrono::milliseconds kConnectInterval{100};
constexpr std::chrono::milliseconds kOffsetInterval{150};

}  // namespace

void SimBroker::connect() {
  process_->next_connect = now() + kConnectInterval;
  FollowerConfig config;
  config.self = id_;
  config.ack_flushed = options_.ack_flushed;
  const std::uint64_t session = network_.connect(id_, *process_->role.master());
  const FollowerLog log{disk.history, PhysicalOffset{}, disk.end(), process_->confirmed};
  process_->following.emplace(Following{session, Follower(config, epoch(), log), now(), now()});
  network_.send(session, id_, InSession{session, process_->following->follower.handshake()});
}

void SimBroker::disconnect() {
  if (!process_->following) return;
  network_.close(process_->following->session, id_);
  process_->following.reset();
  drop_writes();
}

void SimBroker::on_in_following(std::uint64_t session, const InSession& message) {
  process_->following->heard_at = now();
  if (const auto* handshake = std::get_if<MasterHandshake>(&message.what)) {
    on_handshake(*handshake);
  } else if (const auto* block = std::get_if<Block>(&message.what)) {
    on_block(*block);
  } else if (std::holds_alternative<Closed>(message.what)) {
    world_.note(id_, "session %llu is closed", static_cast<unsigned long long>(session));
    disconnect();
  }
}

void SimBroker::on_handshake(const MasterHandshake& handshake) {
  const Result<Cut> answer = process_->following->follower.on_handshake(handshake);
  if (!answer) {
    world_.note(id_, "handshake: %s", answer.error().message().c_str());
    const bool newer = answer.error().code == ReplicationErrc::NewerEpoch;
    disconnect();
    if (newer) perform(process_->role.on_peer_epoch(handshake.epoch));
    return;
  }
  world_.at(id_, disk.flush_time,
            [this, to = answer->to, session = process_->following->session] { cut(to, session); });
}

void SimBroker::cut(PhysicalOffset to, std::uint64_t session) {
  if (!process_->following || process_->following->session != session) return;
  if (to < disk.end()) {
    world_.note(id_, "cuts its log from %lld to %lld", static_cast<long long>(disk.end().value),
                static_cast<long long>(to.value));
  }
  invariants_.on_cut(id_, to, process_->confirmed);
  disk.cut(to);
  set_group_offset(cut_offset(process_->group_offset, disk.queue_end()));
  disk.saved_offset = process_->group_offset;
  Follower& follower = process_->following->follower;
  const Report first = follower.on_cut();
  process_->confirmed = follower.confirmed();
  report(first);
}

void SimBroker::on_block(const Block& block) {
  Follower& follower = process_->following->follower;
  const Result<std::optional<Append>> append = follower.on_block(block.head);
  if (!append) {
    world_.note(id_, "block: %s", append.error().message().c_str());
    const bool newer = append.error().code == ReplicationErrc::NewerEpoch;
    disconnect();
    if (newer) perform(process_->role.on_peer_epoch(block.head.epoch));
    return;
  }
  hear_confirmed();
  if (!*append) return;
  process_->writes.push_back({block.records, (*append)->begins});
  if (process_->writes.size() == 1) plan_write();
  // What the follower can acknowledge already, if anything.
  report(follower.on_written(disk.end()));
}

void SimBroker::plan_write() {
  world_.at(id_, disk.write_time, [this, dropped = process_->writes_dropped] {
    if (dropped != process_->writes_dropped || !process_->following) return;
    write_next();
    hear_confirmed();
    report(process_->following->follower.on_written(disk.end()));
    hear_confirmed();
    if (!process_->writes.empty()) plan_write();
    if (options_.ack_flushed) flush();
  });
}

void SimBroker::write_next() {
  const PendingWrite write = std::move(process_->writes.front());
  process_->writes.pop_front();
  const PhysicalOffset at = disk.end();
  if (write.begins) {
    const Result<> begun = disk.history.begin(write.begins->epoch, write.begins->start);
    if (!begun) throw Violation(name_of(id_) + ": " + begun.error().message());
  }
  disk.log.insert(disk.log.end(), write.records.begin(), write.records.end());
  world_.note(id_, "writes %lld to %lld", static_cast<long long>(at.value),
              static_cast<long long>(disk.end().value));
  invariants_.on_written(id_, at);
}

// The connection, or the process, is gone: some of what it gave to the disk gets there.
void SimBroker::drop_writes() {
  ++process_->writes_dropped;
  while (!process_->writes.empty() && world_.random.percent(50)) write_next();
  process_->writes.clear();
}

void SimBroker::report(const std::optional<Report>& report) {
  if (!report) return;
  Following& following = *process_->following;
  following.reported_at = now();
  network_.send(following.session, id_, InSession{following.session, *report});
}

void SimBroker::hear_confirmed() {
  const PhysicalOffset confirmed = process_->following->follower.confirmed();
  if (confirmed <= process_->confirmed) return;
  invariants_.on_heard_confirmed(id_, process_->confirmed, confirmed);
  process_->confirmed = confirmed;
}

void SimBroker::tick_slave() {
  if (!process_->following) {
    if (now() >= process_->next_connect) connect();
    return;
  }
  const Following& following = *process_->following;
  if (now() - following.heard_at > kSilenceMax) {
    world_.note(id_, "hears nothing");
    disconnect();
    return;
  }
  const bool idle = now() - following.reported_at >= kReportInterval;
  if (idle && following.follower.transferring()) report(following.follower.report());
  if (now() >= process_->next_offset_question) {
    process_->next_offset_question = now() + kOffsetInterval;
    network_.send(id_, *process_->role.master(), AskOffset{});
  }
}

}  // namespace rmq::sim
