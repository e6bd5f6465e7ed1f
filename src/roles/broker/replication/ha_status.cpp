#include "roles/broker/replication/ha_status.h"

#include "roles/broker/broker.h"

namespace rmq::roles::broker {

Result<Response> on_get_broker_ha_status(Broker& broker,
                                         const protocol::GetBrokerHaStatusRequest&) {
  return respond_body(protocol::encode_ha_status(broker.replication().ha_status()));
}

}  // namespace rmq::roles::broker
