// What a slave's end of replication says of itself.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"
#include "protocol/ha_status.h"

namespace rmq::roles::broker {

struct ReceiverStatus {
  std::string master;  // "ip:port" of its HA port; empty while nobody knows
  std::int64_t last_read_ms = 0;
  std::int64_t last_write_ms = 0;
  std::int64_t received_in_second = 0;  // bytes, between the last two calls of sample()
};

// `end`: of the slave's log.
protocol::HaStatus slave_status(const ReceiverStatus& receiver, PhysicalOffset end);

}  // namespace rmq::roles::broker
