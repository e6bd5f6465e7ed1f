// HaStatus: how a master and its slaves stand, for GET_BROKER_HA_STATUS (907).
// Format (RocketMQ HARuntimeInfo.java): fastjson's JSON, members alphabetically, no whitespace.
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/header_fields.h"

namespace rmq::protocol {

struct GetBrokerHaStatusRequest : NoFields {};

struct HaStatus {
  struct Slave {
    std::string address;  // "ip:port"
    std::int64_t acked = 0;
    std::int64_t behind = 0;  // bytes
    bool in_sync = false;
    std::int64_t next = 0;  // of the log, to be sent
    std::int64_t bytes_per_second = 0;
  };
  // Of a master.
  bool is_master = false;
  std::int64_t log_end = 0;
  std::vector<Slave> slaves{};
  // Of a slave.
  std::string master_address{};  // "ip:port" of its HA port; empty: not known
  std::int64_t max_offset = 0;
  std::int64_t last_read_ms = 0;
  std::int64_t last_write_ms = 0;
  std::int64_t bytes_per_second = 0;
};

std::string encode_ha_status(const HaStatus& status);
// Members that are missing are 0 or false. Error: ProtocolErrc::BodyMalformed.
Result<HaStatus> decode_ha_status(std::string_view body);

}  // namespace rmq::protocol
