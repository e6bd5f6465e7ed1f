#include "roles/broker/pulling/pull_message.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "net/response_frame.h"
#include "protocol/header_fields.h"
#include "protocol/pull.h"
#include "protocol/response_codes.h"
#include "protocol/route_body.h"
#include "roles/broker/broker.h"
#include "roles/broker/offsets/commit_offset.h"
#include "roles/broker/pulling/pull_checks.h"
#include "roles/error_mapping.h"

namespace rmq::roles::broker {
namespace {

using protocol::PullMessageRequest;
using protocol::PullMessageResponse;
using protocol::ResponseCode;
using storage::ReadStatus;

struct StatusRow {
  ReadStatus status;
  std::string_view remark;
  ResponseCode code;
};

// GetMessageStatus.java and composeResponseHeader(). An empty queue is "moved" for every offset but
// 0, see code_of().
constexpr StatusRow kStatuses[] = {
    {ReadStatus::Found, "FOUND", ResponseCode::Success},
    {ReadStatus::NoMatchedMessage, "NO_MATCHED_MESSAGE", ResponseCode::PullRetryImmediately},
    {ReadStatus::MessageWasRemoving, "MESSAGE_WAS_REMOVING", ResponseCode::PullRetryImmediately},
    {ReadStatus::OffsetFoundNull, "OFFSET_FOUND_NULL", ResponseCode::PullNotFound},
    {ReadStatus::OffsetOverflowOne, "OFFSET_OVERFLOW_ONE", ResponseCode::PullNotFound},
    {ReadStatus::OffsetOverflowBadly, "OFFSET_OVERFLOW_BADLY", ResponseCode::PullOffsetMoved},
    {ReadStatus::OffsetTooSmall, "OFFSET_TOO_SMALL", ResponseCode::PullOffsetMoved},
    {ReadStatus::NoMessageInQueue, "NO_MESSAGE_IN_QUEUE", ResponseCode::PullNotFound},
    {ReadStatus::NoMatchedLogicQueue, "NO_MATCHED_LOGIC_QUEUE", ResponseCode::PullNotFound},
};

const StatusRow& row_of(ReadStatus status) {
  const auto* row = std::find_if(std::begin(kStatuses), std::end(kStatuses),
                                 [&](const StatusRow& r) { return r.status == status; });
  RMQ_ASSERT(row != std::end(kStatuses));
  return *row;
}

ResponseCode code_of(ReadStatus status, QueueOffset asked) {
  const bool no_message =
      status == ReadStatus::NoMessageInQueue || status == ReadStatus::NoMatchedLogicQueue;
  if (no_message && asked.value != 0) return ResponseCode::PullOffsetMoved;
  return row_of(status).code;
}

struct Outcome {
  ResponseCode code;
  std::string_view remark;
};

// Where the group should read: a master sends it to a slave, if there is one, once it lags behind
// what is in memory here, and a slave back, when it does not and the master is there.
std::int64_t better_broker(const Broker& broker, const PullPlan& plan,
                           const storage::ReadResult& result) {
  if (!broker.config.slave_read_enable) return protocol::kMasterId;
  if (broker.is_slave()) {
    if (result.behind_memory) return plan.broker_when_slow;
    return broker.replication().follows() ? protocol::kMasterId : plan.broker_id;
  }
  return result.behind_memory && broker.replication().has_slaves() ? plan.broker_when_slow
                                                                   : plan.broker_id;
}

void write_answer(const Broker& broker, net::Connection& connection, const net::Asked& asked,
                  const PullPlan& plan, const Outcome& outcome, const storage::ReadResult& result) {
  if (asked.oneway) return;
  PullMessageResponse fields;
  fields.suggest_which_broker_id = better_broker(broker, plan, result);
  fields.next_begin_offset = result.next;
  fields.min_offset = result.min;
  fields.max_offset = result.end;
  fields.topic_sys_flag = plan.topic_sys_flag;
  fields.group_sys_flag = plan.group_sys_flag;
  const protocol::ResponseHead head{.type = asked.type,
                                    .code = static_cast<std::int32_t>(outcome.code),
                                    .opaque = asked.opaque,
                                    .remark = outcome.remark,
                                    .body_bytes = result.bytes};
  protocol::encode_response_head(head, fields, connection.out().tail());
  for (const storage::RecordSpan& span : result.records)
    connection.out().add_body(span.bytes, span.pin);
}

Result<storage::ReadResult> read(const Broker& broker, const PullMessageRequest& request,
                                 const PullPlan& plan, storage::MayWait may_wait) {
  // A queue begins to exist when it is first asked for, as in Java: it is then empty, not unknown.
  broker.store->queue(request.topic, request.queue_id);
  storage::ReadRequest wanted;
  wanted.topic = request.topic;
  wanted.queue_id = request.queue_id;
  wanted.from = request.queue_offset;
  wanted.count_max = static_cast<std::size_t>(std::max(1, request.max_msg_nums));
  wanted.tags = plan.tags.get();
  wanted.may_wait = may_wait;
  return broker.store->read(wanted);
}

// Holds the pull; false when it must be answered now.
bool hold(Broker& broker, net::Connection& connection, const PullMessageRequest& request,
          const PullPlan& plan, const protocol::CommandView& command) {
  std::chrono::milliseconds patience(
      std::clamp<std::int64_t>(request.suspend_timeout_millis, 0, kSuspendMaxMs));
  if (!broker.config.long_polling_enable) patience = broker.config.short_polling;
  HeldPull pull{.connection = connection.shared_from_this(),
                .command = std::make_shared<const protocol::Command>(command),
                .from = request.queue_offset,
                .tags = plan.tags,
                .deadline = broker.clock.steady_now() + patience};
  storage::Queue& queue = broker.store->queue(request.topic, request.queue_id);
  if (!broker.long_polls.hold(queue, std::move(pull))) return false;
  if (broker.store->visible_end(queue.topic(), queue.queue_id()) > request.queue_offset ||
      broker.offsets.reset_pending(request.consumer_group, request.topic, request.queue_id)) {
    broker.long_polls.wake(queue);
  }
  return true;
}

// The answer that sends a consumer to where an administrator reset its group.
void write_reset(const Broker& broker, net::Connection& connection, const net::Asked& asked,
                 const PullMessageRequest& request, const PullPlan& plan, QueueOffset offset) {
  storage::ReadResult nothing;
  nothing.next = offset;
  nothing.min = broker.store->min_offset(request.topic, request.queue_id);
  nothing.end = broker.store->visible_end(request.topic, request.queue_id);
  write_answer(broker, connection, asked, plan, {ResponseCode::PullOffsetMoved, "OFFSET_RESET"},
               nothing);
}

void note_reader(Broker& broker, const net::Connection& connection,
                 const PullMessageRequest& request, QueueOffset next, bool first_pass) {
  const QueueReaders::Reader reader{.connection = connection.id(), .next = next};
  if (first_pass) {
    broker.readers.note(request.consumer_group, request.topic, request.queue_id, reader);
  } else {
    broker.readers.advance(request.consumer_group, request.topic, request.queue_id, reader);
  }
}

// Answers or holds a pull that was read. `may_hold`: the first pass, which also stores the offset
// that the consumer commits by pulling. That comes before the client counts as the queue's reader:
// a pull that is late must not set the group back.
void finish(Broker& broker, net::Connection& connection, const protocol::CommandView& command,
            const PullMessageRequest& request, const PullPlan& plan,
            const storage::ReadResult& result, bool may_hold) {
  if (may_hold && (request.sys_flag & protocol::kPullCommitOffset) != 0) {
    commit_offset(broker, connection, request.consumer_group, request.topic, request.queue_id,
                  request.commit_offset);
  }
  note_reader(broker, connection, request, result.next, may_hold);
  Outcome outcome{code_of(result.status, request.queue_offset), row_of(result.status).remark};
  const bool go_back = broker.is_slave() && broker.replication().follows() &&
                       !result.behind_memory && result.status != storage::ReadStatus::Found;
  if (go_back) outcome.code = ResponseCode::PullRetryImmediately;
  const bool wait = may_hold && (request.sys_flag & protocol::kPullSuspend) != 0 &&
                    outcome.code == ResponseCode::PullNotFound;
  if (wait && hold(broker, connection, request, plan, command)) return;
  broker.traffic.note_pull(static_cast<std::int64_t>(result.message_count));
  write_answer(broker, connection, net::Asked(command), plan, outcome, result);
}

void refuse(net::Connection& connection, const protocol::CommandView& command, const Error& why) {
  net::write_response(connection.out(), net::Asked(command), to_response(why));
}

// A pull that waits for the disk: all of it is its own.
struct ColdPull {
  std::shared_ptr<net::Connection> connection;
  protocol::Command command;
  PullMessageRequest request;  // views `command`
  PullPlan plan;
  bool may_hold;
};

// Reads on a thread that may wait, and answers on the connection's own.
Result<> pull_from_disk(Broker& broker, net::Connection& connection,
                        const protocol::CommandView& command, PullPlan plan, bool may_hold) {
  const auto cold = std::make_shared<ColdPull>();
  cold->connection = connection.shared_from_this();
  cold->command = protocol::Command(command);
  RMQ_TRY(cold->request, protocol::decode_fields<PullMessageRequest>(cold->command.view()));
  cold->plan = std::move(plan);
  cold->may_hold = may_hold;
  connection.add_pending(1);
  const bool taken = broker.cold_pulls.submit([&broker, cold] {
    auto read_there = read(broker, cold->request, cold->plan, storage::MayWait::Yes);
    cold->connection->post([&broker, cold, result = std::move(read_there)](net::Connection& to) {
      const protocol::CommandView view = cold->command.view();
      if (result) {
        finish(broker, to, view, cold->request, cold->plan, *result, cold->may_hold);
      } else {
        refuse(to, view, result.error());
      }
      to.remove_pending(1);
    });
  });
  if (taken) return {};
  connection.remove_pending(1);
  return fail(ResponseCode::SystemBusy, std::string(kDiskBusy));
}

Result<> pull(Broker& broker, net::Connection& connection, const protocol::CommandView& command,
              bool may_hold) {
  RMQ_TRY(const PullMessageRequest request, protocol::decode_fields<PullMessageRequest>(command));
  if (broker.replication().standing() == Replication::Standing::Fenced ||
      (broker.is_slave() && !broker.config.slave_read_enable)) {
    return fail(ResponseCode::SystemBusy,
                "[REJECTREQUEST]system busy, start flow control for a while");
  }
  RMQ_TRY(const PullPlan plan, plan_pull(broker, connection, request, command));
  const auto reset =
      broker.offsets.take_reset(request.consumer_group, request.topic, request.queue_id);
  if (reset) {
    note_reader(broker, connection, request, *reset, may_hold);
    write_reset(broker, connection, net::Asked(command), request, plan, *reset);
    return {};
  }
  const auto result = read(broker, request, plan, storage::MayWait::No);
  if (!result && result.error().code == storage::StoreErrc::NotInMemory) {
    return pull_from_disk(broker, connection, command, plan, may_hold);
  }
  if (!result) return fail(result.error());
  finish(broker, connection, command, request, plan, *result, may_hold);
  return {};
}

}  // namespace

void on_pull_message(Broker& broker, net::ReadTurn& turn, const protocol::CommandView& command) {
  const Result<> pulled = pull(broker, turn.connection, command, true);
  if (!pulled) refuse(turn.connection, command, pulled.error());
}

void pull_again(Broker& broker, net::Connection& connection, const protocol::Command& command) {
  const protocol::CommandView view = command.view();
  const Result<> pulled = pull(broker, connection, view, false);
  if (!pulled) refuse(connection, view, pulled.error());
}

}  // namespace rmq::roles::broker
