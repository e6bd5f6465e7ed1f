#include "roles/broker/replication/ha_status.h"

#include "roles/broker/broker.h"
#include "roles/broker/replication/receiver_status.h"

namespace rmq::roles::broker {

protocol::HaStatus slave_status(const ReceiverStatus& receiver, PhysicalOffset end) {
  protocol::HaStatus status;
  status.master_address = receiver.master;
  status.max_offset = end.value;
  status.last_read_ms = receiver.last_read_ms;
  status.last_write_ms = receiver.last_write_ms;
  status.bytes_per_second = receiver.received_in_second;
  return status;
}

Result<Response> on_get_broker_ha_status(Broker& broker,
                                         const protocol::GetBrokerHaStatusRequest&) {
  return respond_body(protocol::encode_ha_status(broker.replication().ha_status()));
}

}  // namespace rmq::roles::broker
