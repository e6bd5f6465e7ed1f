// The handlers of a controller's requests; requests.cpp has the table. All run on the control
// thread. Answers and remarks are RocketMQ's (ControllerRequestProcessor.java,
// ReplicasInfoManager.java), unless a handler says otherwise. A store that fails is answered with
// CONTROLLER_JRAFT_INTERNAL_ERROR (2015): the change has happened or not, ask again.
#pragma once

#include "base/result.h"
#include "protocol/controller.h"
#include "protocol/route.h"
#include "roles/served_request.h"

namespace rmq::roles::controller {

class Controller;

// replicas.cpp: what a broker says about itself.
net::Task<Result<Response>> on_controller_get_next_broker_id(
    Controller& controller, Caller caller, protocol::ControllerGetNextBrokerIdRequest request);
net::Task<Result<Response>> on_controller_apply_broker_id(
    Controller& controller, Caller caller, protocol::ControllerApplyBrokerIdRequest request);
net::Task<Result<Response>> on_controller_register_broker(
    Controller& controller, Caller caller, protocol::ControllerRegisterBrokerRequest request);
Result<Response> on_broker_heartbeat(Controller& controller, const Caller& caller,
                                     const protocol::BrokerHeartbeatRequest& request);

// reign.cpp: who is master, and who is in the set.
net::Task<Result<Response>> on_controller_alter_sync_state_set(
    Controller& controller, Caller caller, protocol::ControllerAlterSyncStateSetRequest request);
net::Task<Result<Response>> on_controller_elect_master(
    Controller& controller, Caller caller, protocol::ControllerElectMasterRequest request);
net::Task<Result<Response>> on_controller_get_replica_info(
    Controller& controller, Caller caller, protocol::ControllerGetReplicaInfoRequest request);
net::Task<Result<Response>> on_controller_get_sync_state_data(
    Controller& controller, Caller caller, protocol::ControllerGetSyncStateDataRequest request);

// operation.cpp: an operator's.
Result<Response> on_controller_get_metadata_info(
    Controller& controller, const protocol::ControllerGetMetadataInfoRequest& request);
net::Task<Result<Response>> on_clean_broker_data(Controller& controller, Caller caller,
                                                 protocol::CleanBrokerDataRequest request);
Result<Response> on_update_controller_config(
    Controller& controller, const Caller& caller,
    const protocol::UpdateControllerConfigRequest& request);
Result<Response> on_get_controller_config(Controller& controller,
                                          const protocol::GetControllerConfigRequest& request);

}  // namespace rmq::roles::controller
