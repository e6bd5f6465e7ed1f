#include "roles/namesrv/requests.h"

#include <array>

#include "roles/namesrv/handlers/handlers.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {
namespace {

constexpr std::array kNamesrvRequests{
    serve<&on_put_kv_config>(RequestCode::PutKvConfig, Lane::Control),
    serve<&on_get_kv_config>(RequestCode::GetKvConfig, Lane::Control),
    serve<&on_delete_kv_config>(RequestCode::DeleteKvConfig, Lane::Control),
    serve<&on_register_broker>(RequestCode::RegisterBroker, Lane::Control),
    serve<&on_unregister_broker>(RequestCode::UnregisterBroker, Lane::Control),
    serve<&on_get_routeinfo_by_topic>(RequestCode::GetRouteinfoByTopic, Lane::Control),
    serve<&on_get_broker_cluster_info>(RequestCode::GetBrokerClusterInfo, Lane::Control),
    serve<&on_wipe_write_perm_of_broker>(RequestCode::WipeWritePermOfBroker, Lane::Control),
    serve<&on_get_all_topic_list_from_nameserver>(RequestCode::GetAllTopicListFromNameserver,
                                                  Lane::Control),
    serve<&on_delete_topic_in_namesrv>(RequestCode::DeleteTopicInNamesrv, Lane::Control),
    serve<&on_register_topic_in_namesrv>(RequestCode::RegisterTopicInNamesrv, Lane::Control),
    serve<&on_get_kvlist_by_namespace>(RequestCode::GetKvlistByNamespace, Lane::Control),
    serve<&on_get_topics_by_cluster>(RequestCode::GetTopicsByCluster, Lane::Control),
    serve<&on_get_system_topic_list_from_ns>(RequestCode::GetSystemTopicListFromNs, Lane::Control),
    serve<&on_get_unit_topic_list>(RequestCode::GetUnitTopicList, Lane::Control),
    serve<&on_get_has_unit_sub_topic_list>(RequestCode::GetHasUnitSubTopicList, Lane::Control),
    serve<&on_get_has_unit_sub_ununit_topic_list>(RequestCode::GetHasUnitSubUnunitTopicList,
                                                  Lane::Control),
    serve<&on_update_namesrv_config>(RequestCode::UpdateNamesrvConfig, Lane::Control),
    serve<&on_get_namesrv_config>(RequestCode::GetNamesrvConfig, Lane::Control),
    serve<&on_query_data_version>(RequestCode::QueryDataVersion, Lane::Control),
    serve<&on_add_write_perm_of_broker>(RequestCode::AddWritePermOfBroker, Lane::Control),
    serve<&on_get_broker_member_group>(RequestCode::GetBrokerMemberGroup, Lane::Control),
    serve<&on_broker_heartbeat>(RequestCode::BrokerHeartbeat, Lane::Control),
};
static_assert(sorted_and_unique(kNamesrvRequests));

}  // namespace

NameService::NameService(NameServer& server) : RequestService(server, kNamesrvRequests) {}

void NameService::on_closed(net::Connection& connection) {
  // Behind the requests of that connection, which went the same way.
  context_.threads.control().post(
      [&server = context_, id = connection.id()] { server.forget(id); });
}

}  // namespace rmq::roles::namesrv
