#include "protocol/ha_status.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "protocol/body_json.h"

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

HaStatus::Slave slave_from(const json::Value& value) {
  HaStatus::Slave slave;
  slave.address = value.text_or("addr", "");
  slave.acked = value.int_or("slaveAckOffset", 0);
  slave.behind = value.int_or("diff", 0);
  slave.in_sync = value.bool_or("inSync", false);
  slave.next = value.int_or("transferFromWhere", 0);
  slave.bytes_per_second = value.int_or("transferredByteInSecond", 0);
  return slave;
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

Result<HaStatus> decode_ha_status(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  HaStatus status;
  status.is_master = value.bool_or("master", false);
  status.log_end = value.int_or("masterCommitLogMaxOffset", 0);
  if (const json::Value* slaves = array_member(value, "haConnectionInfo")) {
    for (const json::Value& slave : slaves->items()) status.slaves.push_back(slave_from(slave));
  }
  if (const json::Value* client = object_member(value, "haClientRuntimeInfo")) {
    status.master_address = client->text_or("masterAddr", "");
    status.max_offset = client->int_or("maxOffset", 0);
    status.last_read_ms = client->int_or("lastReadTimestamp", 0);
    status.last_write_ms = client->int_or("lastWriteTimestamp", 0);
    status.bytes_per_second = client->int_or("transferredByteInSecond", 0);
  }
  return status;
}

}  // namespace rmq::protocol
