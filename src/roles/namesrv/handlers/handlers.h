// The handlers of a name server's requests, by the folder's four files; requests.cpp has the table.
// All run on the control thread. Answers and remarks are Java's (DefaultRequestProcessor.java,
// ClientRequestProcessor.java), unless a handler says otherwise.
#pragma once

#include "base/result.h"
#include "protocol/kv.h"
#include "protocol/route.h"
#include "protocol/topic.h"
#include "roles/served_request.h"

namespace rmq::roles::namesrv {

class NameServer;

// broker.cpp: what brokers say about themselves.
Result<Response> on_register_broker(NameServer& server, const Caller& caller,
                                    const protocol::RegisterBrokerRequest& request);
Result<Response> on_unregister_broker(NameServer& server,
                                      const protocol::UnregisterBrokerRequest& request);
Result<Response> on_query_data_version(NameServer& server, const Caller& caller,
                                       const protocol::QueryDataVersionRequest& request);
Result<Response> on_broker_heartbeat(NameServer& server,
                                     const protocol::BrokerHeartbeatRequest& request);
Result<Response> on_get_broker_member_group(NameServer& server,
                                            const protocol::GetBrokerMemberGroupRequest& request);
Result<Response> on_register_topic_in_namesrv(
    NameServer& server, const Caller& caller,
    const protocol::RegisterTopicInNamesrvRequest& request);

// route.cpp: what clients and tools ask about brokers and topics.
Result<Response> on_get_routeinfo_by_topic(NameServer& server, const Caller& caller,
                                           const protocol::GetRouteinfoByTopicRequest& request);
Result<Response> on_get_broker_cluster_info(NameServer& server,
                                            const protocol::GetBrokerClusterInfoRequest& request);
Result<Response> on_get_all_topic_list_from_nameserver(
    NameServer& server, const protocol::GetAllTopicListFromNameserverRequest& request);
Result<Response> on_get_topics_by_cluster(NameServer& server,
                                          const protocol::GetTopicsByClusterRequest& request);
Result<Response> on_get_system_topic_list_from_ns(
    NameServer& server, const protocol::GetSystemTopicListFromNsRequest& request);
Result<Response> on_get_unit_topic_list(NameServer& server, const protocol::NoFields& request);
Result<Response> on_get_has_unit_sub_topic_list(NameServer& server,
                                                const protocol::NoFields& request);
Result<Response> on_get_has_unit_sub_ununit_topic_list(NameServer& server,
                                                       const protocol::NoFields& request);

// kv.cpp: the key-value table.
Result<Response> on_put_kv_config(NameServer& server, const protocol::PutKvConfigRequest& request);
Result<Response> on_get_kv_config(NameServer& server, const protocol::GetKvConfigRequest& request);
Result<Response> on_delete_kv_config(NameServer& server,
                                     const protocol::DeleteKvConfigRequest& request);
Result<Response> on_get_kvlist_by_namespace(NameServer& server,
                                            const protocol::GetKvlistByNamespaceRequest& request);

// admin.cpp: what administrators change.
Result<Response> on_wipe_write_perm_of_broker(
    NameServer& server, const protocol::WipeWritePermOfBrokerRequest& request);
Result<Response> on_add_write_perm_of_broker(NameServer& server,
                                             const protocol::AddWritePermOfBrokerRequest& request);
Result<Response> on_delete_topic_in_namesrv(NameServer& server,
                                            const protocol::DeleteTopicInNamesrvRequest& request);
Result<Response> on_update_namesrv_config(NameServer& server, const Caller& caller,
                                          const protocol::NoFields& request);
Result<Response> on_get_namesrv_config(NameServer& server, const protocol::NoFields& request);

}  // namespace rmq::roles::namesrv
