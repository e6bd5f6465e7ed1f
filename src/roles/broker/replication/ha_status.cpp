#include "roles/broker/replication/ha_status.h"

#include "roles/broker/broker.h"
#include "roles/broker/controlled/replica_manager.h"

namespace rmq::roles::broker {

namespace {

protocol::HaStatus under_controllers(const ReplicaManager& replicas, PhysicalOffset end) {
  protocol::HaStatus status;
  const auto leading = replicas.leading();
  if (!leading) {
    const EpochReceiver::Status there = replicas.receiver().status();
    status.master_address = there.master;
    status.max_offset = end.value;
    status.last_read_ms = there.last_read_ms;
    status.last_write_ms = there.last_write_ms;
    status.bytes_per_second = there.received_in_second;
    return status;
  }
  status.is_master = true;
  status.log_end = end.value;
  for (const LeadingReign::Peer& peer : leading->peers()) {
    status.slaves.push_back({.address = peer.address,
                             .acked = peer.acked.value,
                             .behind = end - peer.acked,
                             .in_sync = peer.in_set,
                             .next = peer.sent.value,
                             .bytes_per_second = peer.sent_in_second});
  }
  return status;
}

}  // namespace

Result<Response> on_get_broker_ha_status(Broker& broker,
                                         const protocol::GetBrokerHaStatusRequest&) {
  const PhysicalOffset end{broker.store->appended().value().value};
  protocol::HaStatus status;
  if (const LogReceiver* receiver = broker.receiver()) {
    const LogReceiver::Status there = receiver->status();
    status.master_address = there.master;
    status.max_offset = end.value;
    status.last_read_ms = there.last_read_ms;
    status.last_write_ms = there.last_write_ms;
    status.bytes_per_second = there.received_in_second;
    return respond_body(protocol::encode_ha_status(status));
  }
  if (const ReplicaManager* replicas = broker.replicas()) {
    return respond_body(protocol::encode_ha_status(under_controllers(*replicas, end)));
  }
  status.is_master = true;
  status.log_end = end.value;
  for (const SlaveTable::Slave& slave : broker.slaves.all()) {
    status.slaves.push_back(
        {.address = slave.address,
         .acked = slave.acked.value,
         .behind = end - slave.acked,
         .in_sync = SlaveTable::is_in_sync(slave, end, broker.config.ha_max_gap_not_in_sync),
         .next = slave.sent.value,
         .bytes_per_second = slave.sent_in_second});
  }
  return respond_body(protocol::encode_ha_status(status));
}

}  // namespace rmq::roles::broker
