// Requests of administrators about the settings of a running broker.
// Threads: the control thread.
#pragma once

#include "net/service.h"
#include "protocol/broker_config.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// UPDATE_BROKER_CONFIG: all of the body's settings or none, until the next start: the config file
// stays as it is (Java rewrites it). Codes: NO_PERMISSION (16): a key that must not be changed;
// SYSTEM_ERROR (1): a bad value, a setting that only counts at a start, or enableControllerMode
// cannot be carried out now.
net::Task<Result<Response>> on_update_broker_config(Broker& broker, Caller caller,
                                                    protocol::UpdateBrokerConfigRequest request);
// GET_BROKER_CONFIG: every setting as "key=value\n".
Result<Response> on_get_broker_config(Broker& broker,
                                      const protocol::GetBrokerConfigRequest& request);

}  // namespace rmq::roles::broker
