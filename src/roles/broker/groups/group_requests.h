// Requests of administrators and slaves about consumer groups.
// Threads: the control thread.
#pragma once

#include "net/service.h"
#include "net/task.h"
#include "protocol/group.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: answered when the group is on disk. Codes: INVALID_PARAMETER
// (29): name; SYSTEM_ERROR (1): attributes, disk.
net::Task<Result<Response>> on_update_and_create_subscriptiongroup(
    Broker& broker, Caller caller, protocol::UpdateAndCreateSubscriptiongroupRequest request);
// DELETE_SUBSCRIPTIONGROUP: with clean_offset the group's offsets go too. Answered when the group
// is gone from disk; one that is unknown counts as deleted, as in Java. Code: SYSTEM_ERROR (1):
// disk.
net::Task<Result<Response>> on_delete_subscriptiongroup(
    Broker& broker, Caller caller, protocol::DeleteSubscriptiongroupRequest request);
// GET_ALL_SUBSCRIPTIONGROUP_CONFIG: the whole table; paging is for brokers that split it, which is
// off.
Result<Response> on_get_all_subscriptiongroup_config(
    Broker& broker, const protocol::GetAllSubscriptiongroupConfigRequest& request);

}  // namespace rmq::roles::broker
