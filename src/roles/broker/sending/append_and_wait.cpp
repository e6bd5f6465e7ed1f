#include "roles/broker/sending/append_and_wait.h"

#include <chrono>
#include <utility>

#include "net/await.h"
#include "roles/broker/broker.h"
#include "roles/broker/sending/send_checks.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {
namespace {

using Appended = Result<std::unique_ptr<storage::AppendBatch>>;

net::Task<Appended> append(storage::MessageStore& store,
                           std::unique_ptr<storage::AppendBatch> batch) {
  struct Shared {
    net::Event done;
    Appended appended;
  };
  const auto shared = std::make_shared<Shared>();
  storage::AppendDone done = [shared](Result<> outcome,
                                      std::unique_ptr<storage::AppendBatch> appended) {
    if (outcome) {
      shared->appended = std::move(appended);
    } else {
      shared->appended = fail(std::move(outcome.error()));
    }
    shared->done.set();
  };
  store.append(std::move(batch), std::move(done));
  while (!co_await shared->done.wait_until(std::chrono::steady_clock::now() +
                                           std::chrono::seconds(1))) {
  }
  co_return std::move(shared->appended);
}

}  // namespace

net::Task<Appended> append_and_wait(Broker& broker, std::unique_ptr<storage::AppendBatch> batch,
                                    std::optional<TableVersion> topic_saved) {
  while (broker.send_gate.is_closed()) {
    const net::Event opening = broker.send_gate.opening();
    (void)co_await opening.wait_until(SteadyTime::max());
  }
  RMQ_CO_CHECK(check_slaves(broker));
  const SteadyTime begun = std::chrono::steady_clock::now();
  const SteadyTime deadline = begun + broker.config.store.sync_flush_timeout;
  Appended appended = co_await append(*broker.store, std::move(batch));
  if (!appended) co_return std::move(appended);
  storage::AppendBatch& stored = **appended;
  broker.replication().note_own_log();
  broker.traffic.note_put(static_cast<std::int64_t>(stored.records().size()),
                          static_cast<std::int64_t>(stored.buffer().size()));
  if (topic_saved) {
    RMQ_CO_CHECK(co_await net::await_at_least(broker.topics.saved(), *topic_saved, deadline));
  }
  if (broker.config.store.flush_disk_type == storage::FlushDiskType::Sync) {
    broker.store->request_flush();
    const FlushedOffset flushed{stored.end().value};
    RMQ_CO_CHECK(co_await net::await_at_least(broker.store->flushed(), flushed, deadline));
    broker.replication().note_own_log();
  }
  if (broker.replication().waits()) {
    const ConfirmedOffset confirmed{stored.end().value};
    RMQ_CO_CHECK(co_await net::await_at_least(broker.replication().acknowledged(), confirmed,
                                              begun + broker.config.slave_timeout));
  }
  if (broker.store->reign() != stored.reign()) {
    co_return fail(storage::StoreErrc::NoReign, "this broker is the master no more");
  }
  co_return std::move(appended);
}

}  // namespace rmq::roles::broker
