#include "roles/controller/requests.h"

#include <array>

#include "roles/controller/controller.h"
#include "roles/controller/handlers/handlers.h"

namespace rmq::roles::controller {
namespace {

constexpr std::array kControllerRequests{
    serve<&on_broker_heartbeat>(RequestCode::BrokerHeartbeat, Lane::Control),
    serve<&on_controller_alter_sync_state_set>(RequestCode::ControllerAlterSyncStateSet,
                                               Lane::Control),
    serve<&on_controller_elect_master>(RequestCode::ControllerElectMaster, Lane::Control),
    serve<&on_controller_register_broker>(RequestCode::ControllerRegisterBroker, Lane::Control),
    serve<&on_controller_get_replica_info>(RequestCode::ControllerGetReplicaInfo, Lane::Control),
    serve<&on_controller_get_metadata_info>(RequestCode::ControllerGetMetadataInfo, Lane::Control),
    serve<&on_controller_get_sync_state_data>(RequestCode::ControllerGetSyncStateData,
                                              Lane::Control),
    serve<&on_update_controller_config>(RequestCode::UpdateControllerConfig, Lane::Control),
    serve<&on_get_controller_config>(RequestCode::GetControllerConfig, Lane::Control),
    serve<&on_clean_broker_data>(RequestCode::CleanBrokerData, Lane::Control),
    serve<&on_controller_get_next_broker_id>(RequestCode::ControllerGetNextBrokerId, Lane::Control),
    serve<&on_controller_apply_broker_id>(RequestCode::ControllerApplyBrokerId, Lane::Control),
};
static_assert(sorted_and_unique(kControllerRequests));

}  // namespace

ControllerService::ControllerService(Controller& controller)
    : RequestService(controller, kControllerRequests) {}

void ControllerService::on_closed(net::Connection& connection) {
  // Behind the requests of that connection, which went the same way.
  context_.threads.control().post(
      [&controller = context_, id = connection.id()] { controller.connection_closed(id); });
}

}  // namespace rmq::roles::controller
