// GET_BROKER_HA_STATUS: how this master's slaves, or this slave, stand. Threads: the control
// thread.
#pragma once

#include "protocol/ha_status.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

Result<Response> on_get_broker_ha_status(Broker& broker,
                                         const protocol::GetBrokerHaStatusRequest& request);

}  // namespace rmq::roles::broker
