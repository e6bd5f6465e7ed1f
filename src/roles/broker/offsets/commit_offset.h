// What becomes of the offset that a client commits, by a request of its own or with a pull.
// Threads: any.
#pragma once

#include <string_view>

#include "base/units.h"
#include "roles/broker/offsets/offset_table.h"

namespace rmq::net {
class Connection;
}

namespace rmq::roles::broker {

class Broker;

// Offsets go back when somebody wants it: an administrator, who is no consumer of the group, or the
// consumer that reads the queue (after a reset, a seek, or messages that are gone). They do not
// when a consumer that lost the queue is late: another consumer of the group has pulled from the
// queue since this one did. Smaller: for that reason nothing was changed.
OffsetTable::Committed commit_offset(Broker& broker, const net::Connection& connection,
                                     std::string_view group, std::string_view topic,
                                     QueueId queue_id, QueueOffset offset);

}  // namespace rmq::roles::broker
