#include "protocol/ha_status.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace rmq::protocol {
namespace {

json::Value to_json(const HaStatus::Slave& slave) {
  json::Value value = json::Value::object();
  value.set("addr", slave.address);
  value.set("diff", slave.behind);
  value.set("inSync", slave.in_sync);
  value.set("slaveAckOffset", slave.acked);
  value.set("transferFromWhere", slave.next);
  value.set("transferredByteInSecond", slave.bytes_per_second);
  return value;
}

}  // namespace

std::string encode_ha_status(const HaStatus& status) {
  json::Value client = json::Value::object();
  client.set("activated", false);
  client.set("lastReadTimestamp", status.last_read_ms);
  client.set("lastWriteTimestamp", status.last_write_ms);
  if (!status.master_address.empty()) client.set("masterAddr", status.master_address);
  client.set("masterFlushOffset", std::int64_t{0});  // known in controller mode only
  client.set("maxOffset", status.max_offset);
  client.set("transferredByteInSecond", status.bytes_per_second);
  json::Value slaves = json::Value::array();
  for (const HaStatus::Slave& slave : status.slaves) slaves.push_back(to_json(slave));
  const auto in_sync = std::count_if(status.slaves.begin(), status.slaves.end(),
                                     [](const HaStatus::Slave& slave) { return slave.in_sync; });
  json::Value value = json::Value::object();
  value.set("haClientRuntimeInfo", std::move(client));
  value.set("haConnectionInfo", std::move(slaves));
  value.set("inSyncSlaveNums", static_cast<std::int64_t>(in_sync));
  value.set("master", status.is_master);
  value.set("masterCommitLogMaxOffset", status.log_end);
  return json::write(value);
}

}  // namespace rmq::protocol
