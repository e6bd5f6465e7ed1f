// What replicas, controllers and tools ask a broker under controllers. Threads: the control thread.
#pragma once

#include "protocol/controller.h"
#include "protocol/replica.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// EXCHANGE_BROKER_HA_INFO (906): where the log of this broker is to be had. What a slave tells
// about itself is not needed.
Result<Response> on_exchange_broker_ha_info(Broker& broker,
                                            const protocol::ExchangeBrokerHaInfoRequest& request);
// GET_BROKER_EPOCH_CACHE (1007). Error: ResponseCode::SystemError without controllers, as in Java.
Result<Response> on_get_broker_epoch_cache(Broker& broker,
                                           const protocol::GetBrokerEpochCacheRequest& request);
// NOTIFY_BROKER_ROLE_CHANGED (1008).
Result<Response> on_notify_broker_role_changed(
    Broker& broker, const Caller& caller, const protocol::NotifyBrokerRoleChangedRequest& request);

}  // namespace rmq::roles::broker
