#include "roles/broker/sending/append_turn.h"

#include <functional>
#include <span>
#include <string>
#include <utility>

#include "net/await.h"
#include "protocol/header_fields.h"
#include "protocol/message_id.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"
#include "roles/broker/broker.h"
#include "roles/broker/sending/send_checks.h"
#include "roles/broker/sending/send_message.h"
#include "roles/broker/sending/send_thread.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {
namespace {

using protocol::ResponseCode;

// One answer for a single message, ids joined by comma for a client batch, as in Java.
std::string joined_message_ids(const Broker& broker, const storage::AppendBatch& batch,
                               const storage::AppendBatch::Group& group) {
  std::string ids;
  for (std::uint32_t i = 0; i < group.record_count; ++i) {
    if (i > 0) ids += ',';
    const PhysicalOffset at = batch.records()[group.first_record + i].physical;
    ids += protocol::encode_message_id({broker.store_host, at}).view();
  }
  return ids;
}

void write_stored(const Broker& broker, net::Outbox& out, const AppendTurn& turn,
                  const PendingSend& send, ResponseCode code) {
  if (send.asked.oneway) return;
  const storage::AppendBatch& batch = *turn.batch;
  const storage::AppendBatch::Group& group = batch.groups()[send.group];
  const storage::AppendBatch::Record& first = batch.records()[group.first_record];
  protocol::SendMessageResponse fields;
  const protocol::MessageIdText id =
      protocol::encode_message_id({broker.store_host, first.physical});
  std::string ids;
  fields.msg_id = id.view();
  if (group.record_count > 1) fields.msg_id = ids = joined_message_ids(broker, batch, group);
  fields.queue_id = send.queue_id;
  fields.queue_offset = first.queue_offset;
  fields.transaction_id =
      as_text(ByteView(turn.batch->buffer()).subspan(send.key_begin, send.key_bytes));
  fields.msg_region = broker.config.region_id;
  fields.trace_on = broker.config.trace_on;
  const protocol::ResponseHead head{.type = send.asked.type,
                                    .code = static_cast<std::int32_t>(code),
                                    .opaque = send.asked.opaque,
                                    .remark = {},
                                    .body_bytes = 0};
  protocol::encode_response_head(head, fields, out.tail());
}

// Has `write(connection, send)` write the answers, on the turn's thread.
template <class Write>
void answer(Broker& broker, const std::shared_ptr<AppendTurn>& turn, Write write) {
  net::IoThread& thread = turn->thread();
  const auto work = [&broker, &thread, turn, write = std::move(write)] {
    std::size_t begin = 0;
    for (const AppendTurn::Part& part : turn->parts) {
      const std::span<const PendingSend> sends =
          std::span(turn->sends).subspan(begin, part.end - begin);
      const auto write_part = [&](net::Connection& connection) {
        for (const PendingSend& send : sends) write(connection, send);
        connection.remove_pending(sends.size());
      };
      part.connection->post(std::ref(write_part));  // at once, as this is its thread
      begin = part.end;
    }
    broker.send_thread(thread).give_back(turn);
  };
  if (thread.is_current()) return work();
  thread.post(work);
}

void answer_stored(Broker& broker, const std::shared_ptr<AppendTurn>& turn, ResponseCode code) {
  answer(broker, turn,
         [&broker, &turn = *turn, code](net::Connection& connection, const PendingSend& send) {
           write_stored(broker, connection.out(), turn, send, code);
         });
}

void answer_failed(Broker& broker, const std::shared_ptr<AppendTurn>& turn, const Error& why) {
  answer(broker, turn, [&broker, why](net::Connection& connection, const PendingSend& send) {
    refuse_send(broker, connection, send.asked, why);
  });
}

struct WaitFor {
  bool flush = false;
  bool slaves = false;
};

// Waits for what some of the turn's sends ask for.
net::Task<Result<>> await_durable(Broker& broker, std::shared_ptr<AppendTurn> turn, bool flush) {
  const SteadyTime deadline =
      std::chrono::steady_clock::now() + broker.config.store.sync_flush_timeout;
  if (turn->waits.topics_saved) {
    RMQ_CO_CHECK(
        co_await net::await_at_least(broker.topics.saved(), *turn->waits.topics_saved, deadline));
  }
  if (flush) {
    const FlushedOffset end{turn->batch->end().value};
    RMQ_CO_CHECK(co_await net::await_at_least(broker.store->flushed(), end, deadline));
    broker.replication().note_own_log();
  }
  co_return Result<>{};
}

// On the turn's thread.
void answer_replicated(Broker& broker, const std::shared_ptr<AppendTurn>& turn,
                       const Result<>& confirmed) {
  if (!confirmed && confirmed.error().code == net::NetErrc::TimedOut) {
    return answer_stored(broker, turn, ResponseCode::FlushSlaveTimeout);
  }
  if (!confirmed) return answer_failed(broker, turn, confirmed.error());
  // What was waited for may be reached by the log of the next master.
  if (broker.store->reign() != turn->batch->reign()) {
    return answer_failed(
        broker, turn,
        {make_error_code(storage::StoreErrc::NoReign), "this broker is the master no more"});
  }
  answer_stored(broker, turn, ResponseCode::Success);
}

void answer_when_replicated(Broker& broker, const std::shared_ptr<AppendTurn>& turn,
                            SteadyTime deadline) {
  ReplicaWaits::Then then = [&broker, turn](const Result<>& confirmed) {
    turn->thread().post([&broker, turn, confirmed] { answer_replicated(broker, turn, confirmed); });
  };
  const ConfirmedOffset end{turn->batch->end().value};
  broker.replica_waits.wait(broker.replication().acknowledged(), end, deadline, std::move(then));
}

net::Task<> answer_when_durable(Broker& broker, std::shared_ptr<AppendTurn> turn, WaitFor what,
                                SteadyTime slaves_deadline) {
  const Result<> durable = co_await await_durable(broker, turn, what.flush);
  if (!durable && durable.error().code == net::NetErrc::TimedOut) {
    answer_stored(broker, turn, ResponseCode::FlushDiskTimeout);
  } else if (!durable || !what.slaves) {
    answer_replicated(broker, turn, durable);
  } else {
    answer_when_replicated(broker, turn, slaves_deadline);
  }
}

void on_appended(Broker& broker, const std::shared_ptr<AppendTurn>& turn,
                 const Result<>& appended) {
  if (!appended) return answer_failed(broker, turn, appended.error());
  broker.replication().note_own_log();
  broker.traffic.note_put(static_cast<std::int64_t>(turn->batch->records().size()),
                          static_cast<std::int64_t>(turn->batch->buffer().size()));
  const bool waits = turn->waits.for_store;
  const WaitFor what{
      .flush = waits && broker.config.store.flush_disk_type == storage::FlushDiskType::Sync,
      .slaves = waits && broker.replication().waits()};
  if (!what.flush && !what.slaves && !turn->waits.topics_saved) {
    return answer_stored(broker, turn, ResponseCode::Success);
  }
  if (what.flush) broker.store->request_flush();
  const SteadyTime slaves_deadline = std::chrono::steady_clock::now() + broker.config.slave_timeout;
  if (!what.flush && !turn->waits.topics_saved) {
    return answer_when_replicated(broker, turn, slaves_deadline);
  }
  std::function<net::Task<>()> wait = [&broker, turn, what, slaves_deadline] {
    return answer_when_durable(broker, turn, what, slaves_deadline);
  };
  net::spawn(turn->thread(), "answer_when_durable", std::move(wait));
}

void append(Broker& broker, std::shared_ptr<AppendTurn> turn) {
  if (const Result<> enough = check_slaves(broker); !enough) {
    return answer_failed(broker, turn, enough.error());
  }
  std::unique_ptr<storage::AppendBatch> batch = std::move(turn->batch);
  broker.store->append(std::move(batch),
                       [&broker, turn = std::move(turn)](
                           Result<> appended, std::unique_ptr<storage::AppendBatch> done) {
                         turn->batch = std::move(done);
                         on_appended(broker, turn, appended);
                       });
}

}  // namespace

void submit(Broker& broker, std::shared_ptr<AppendTurn> turn) {
  if (broker.send_gate.is_closed() && broker.send_gate.keep(turn)) return;
  append(broker, std::move(turn));
}

void submit_kept(Broker& broker, const SendGate::Turns& turns) {
  for (const std::shared_ptr<AppendTurn>& turn : turns) {
    turn->thread().post([&broker, turn] { append(broker, turn); });
  }
}

}  // namespace rmq::roles::broker
