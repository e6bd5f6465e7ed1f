// Requests by and about clients: heartbeats, who is in a group, who is connected, queue locks.
// Threads: all on the control thread (Lane::Control), so what one connection asks is served in its
// order.
#pragma once

#include "net/service.h"
#include "protocol/client.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// HEART_BEAT: never fails for what is in it; groups that are unknown and may not be created are
// passed over. Makes the retry topic of each consumer group.
Result<Response> on_heart_beat(Broker& broker, const Caller& caller,
                               const protocol::HeartBeatRequest& request);
Result<Response> on_unregister_client(Broker& broker, const Caller& caller,
                                      const protocol::UnregisterClientRequest& request);
// GET_CONSUMER_LIST_BY_GROUP. Code: SYSTEM_ERROR (1) when the group has no member.
Result<Response> on_get_consumer_list_by_group(
    Broker& broker, const protocol::GetConsumerListByGroupRequest& request);
// CHECK_CLIENT_CONFIG. Code: SYSTEM_ERROR (1) for any expression but tags.
Result<Response> on_check_client_config(Broker& broker, const Caller& caller,
                                        const protocol::CheckClientConfigRequest& request);
// GET_CONSUMER_CONNECTION_LIST. Code: CONSUMER_NOT_ONLINE (206).
Result<Response> on_get_consumer_connection_list(
    Broker& broker, const protocol::GetConsumerConnectionListRequest& request);
// GET_PRODUCER_CONNECTION_LIST. Code: SYSTEM_ERROR (1) when the group has no member.
Result<Response> on_get_producer_connection_list(
    Broker& broker, const protocol::GetProducerConnectionListRequest& request);
// LOCK_BATCH_MQ: the queues that the client owns now.
Result<Response> on_lock_batch_mq(Broker& broker, const Caller& caller,
                                  const protocol::LockBatchMqRequest& request);
Result<Response> on_unlock_batch_mq(Broker& broker, const Caller& caller,
                                    const protocol::UnlockBatchMqRequest& request);

}  // namespace rmq::roles::broker
