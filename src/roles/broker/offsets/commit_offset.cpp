#include "roles/broker/offsets/commit_offset.h"

#include <string>

#include "base/log.h"
#include "net/connection.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

namespace {

bool another_reads(const Broker& broker, ConnectionId connection, std::string_view group,
                   std::string_view topic, QueueId queue_id) {
  const auto reader = broker.readers.find(group, topic, queue_id);
  return reader && reader->connection != connection &&
         broker.clients.is_consumer(group, connection) &&
         broker.clients.is_consumer(group, reader->connection);
}

}  // namespace

OffsetTable::Committed commit_offset(Broker& broker, const net::Connection& connection,
                                     std::string_view group, std::string_view topic,
                                     QueueId queue_id, QueueOffset offset) {
  using Direction = OffsetTable::Direction;
  using Committed = OffsetTable::Committed;
  // As a rule it ends here, with every pull: without a text for the log.
  const Committed forward =
      broker.offsets.commit({}, group, topic, queue_id, offset, Direction::Forward);
  if (forward != Committed::Smaller) return forward;
  const std::string peer = connection.peer().text();
  if (another_reads(broker, connection.id(), group, topic, queue_id)) {
    log::info("offsets", "a late commit of a consumer that lost the queue is not taken",
              kv("peer", peer), kv("group", group), kv("topic", topic), kv("queue", queue_id),
              kv("offset", offset.value));
    return Committed::Smaller;
  }
  return broker.offsets.commit(peer, group, topic, queue_id, offset, Direction::Back);
}

}  // namespace rmq::roles::broker
