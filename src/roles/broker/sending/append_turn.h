// AppendTurn: sends on their way into the store: their records in one batch, and what each answer
// needs. All connections of one data thread that had something to read at the same time put their
// sends into one, and so share one append, one wait for the flush or for replicas, and one post
// for the answers. Threads: filled and answered on that data thread; between the two it belongs to
// the store.
#pragma once

#include <cstddef>
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
};

struct AppendTurn {
  // The sends of one read turn of a connection; they begin where those of the part before end.
  struct Part {
    std::shared_ptr<net::Connection> connection;
    std::size_t end = 0;
  };
  // What all its sends wait for.
  struct Waits {
    bool for_store = true;  // property WAIT: false takes the page cache for an answer
    // A topic that they created must be on disk before they are acknowledged.
    std::optional<TableVersion> topics_saved;
    bool operator==(const Waits&) const = default;
  };

  net::IoThread& thread() const { return parts.front().connection->thread(); }

  std::vector<Part> parts;  // at least one, once it is submitted
  std::unique_ptr<storage::AppendBatch> batch = std::make_unique<storage::AppendBatch>();
  std::vector<PendingSend> sends;
  Waits waits;
};

// Appends `turn`, when the broker's gate is open, and answers its sends when topic and broker have
// what they ask for. On its thread.
void submit(Broker& broker, std::shared_ptr<AppendTurn> turn);
// The same for what the gate has kept. Any thread.
void submit_kept(Broker& broker, const SendGate::Turns& turns);

}  // namespace rmq::roles::broker
