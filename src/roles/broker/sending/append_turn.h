// AppendTurn: the sends of one read turn on their way into the store: their records in one batch,
// and what each answer needs. Many sends so share one append, one wait for the flush and one write
// of answers. Threads: filled and answered on its connection's data thread; between the two it
// belongs to the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "net/connection.h"
#include "net/service.h"
#include "roles/broker/sending/send_gate.h"
#include "roles/broker/topics/topic_table.h"
#include "storage/append_batch.h"

namespace rmq::roles::broker {

class Broker;

struct PendingSend {
  net::Asked asked;
  QueueId queue_id = 0;
  std::uint32_t group = 0;  // of the batch
  // The unique key lies in the batch's buffer, inside the record's properties: the answer's
  // transactionId.
  std::uint32_t key_begin = 0;
  std::uint32_t key_bytes = 0;
  bool wait_for_store = true;  // property WAIT: false takes the page cache for an answer
};

struct AppendTurn {
  std::shared_ptr<net::Connection> connection;
  std::unique_ptr<storage::AppendBatch> batch = std::make_unique<storage::AppendBatch>();
  std::vector<PendingSend> sends;
  // A topic that one of the sends created must be on disk before that is acknowledged.
  std::optional<TableVersion> topics_saved;
};

// Appends `turn`, when the broker's gate is open, and answers its sends when topic and broker have
// what they ask for. On the data thread of its connection.
void submit(Broker& broker, std::shared_ptr<AppendTurn> turn);
// The same for what the gate has kept. Any thread.
void submit_kept(Broker& broker, const SendGate::Turns& turns);

}  // namespace rmq::roles::broker
