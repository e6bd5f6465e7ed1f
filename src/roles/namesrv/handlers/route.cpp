#include <algorithm>
#include <cctype>

#include "protocol/response_codes.h"
#include "protocol/topic_config.h"
#include "roles/namesrv/handlers/handlers.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {

using protocol::BrokerData;
using protocol::JsonForm;
using protocol::ResponseCode;
using protocol::TopicRouteData;

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// Leaves the brokers of `zone`, and those without a master: their slaves serve every zone.
void keep_zone(TopicRouteData& route, std::string_view zone) {
  std::erase_if(route.broker_datas, [&](const BrokerData& broker) {
    if (!broker.broker_addrs.contains(protocol::kMasterId) ||
        equal_ignoring_case(broker.zone_name.value_or(""), zone)) {
      return false;
    }
    std::erase_if(route.queue_datas,
                  [&](const auto& queues) { return queues.broker_name == broker.broker_name; });
    for (const auto& [id, address] : broker.broker_addrs) route.filter_server_table.erase(address);
    return true;
  });
}

Result<Response> topic_not_exist(std::string_view topic) {
  return fail(ResponseCode::TopicNotExist,
              "No topic route info in name server for the topic: " + std::string(topic) +
                  "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.");
}

Result<Response> list_if(bool enabled, const protocol::TopicList& list) {
  if (!enabled) return fail(ResponseCode::SystemError, "disable");
  return respond_body(protocol::encode_topic_list(list));
}

}  // namespace

// GET_ROUTEINFO_BY_TOPIC. Codes: TOPIC_NOT_EXIST (17), on which producers ask for TBW102;
// SYSTEM_ERROR (1) while the server waits for brokers.
Result<Response> on_get_routeinfo_by_topic(NameServer& server, const Caller& caller,
                                           const protocol::GetRouteinfoByTopicRequest& request) {
  if (server.warming_up()) return fail(ResponseCode::SystemError, "name server not ready");
  const JsonForm form =
      protocol::route_form(caller.command->version, request.accept_standard_json_only);
  std::optional<std::string> order;
  if (server.config.order_message_enable)
    order = server.kv.get(kOrderTopicNamespace, request.topic);
  const bool zoned = request.zone_mode && !request.zone_name.empty();
  if (!order && !zoned) {
    const std::string* body = server.routes.encoded_route(request.topic, form);
    return body != nullptr ? respond_body(*body) : topic_not_exist(request.topic);
  }
  auto route = server.routes.find_route(request.topic);
  if (!route) return topic_not_exist(request.topic);
  route->order_topic_conf = std::move(order);
  if (!zoned) return respond_body(protocol::encode_topic_route(*route, form));
  // Java's zone filter writes fastjson's form, whatever the client's version.
  keep_zone(*route, request.zone_name);
  return respond_body(protocol::encode_topic_route(*route, JsonForm::Fastjson));
}

Result<Response> on_get_broker_cluster_info(NameServer& server,
                                            const protocol::GetBrokerClusterInfoRequest&) {
  return respond_body(protocol::encode_cluster_info(server.routes.cluster_info()));
}

Result<Response> on_get_all_topic_list_from_nameserver(
    NameServer& server, const protocol::GetAllTopicListFromNameserverRequest&) {
  return list_if(server.config.enable_all_topic_list, server.routes.all_topics());
}

Result<Response> on_get_topics_by_cluster(NameServer& server,
                                          const protocol::GetTopicsByClusterRequest& request) {
  return list_if(server.config.enable_topic_list, server.routes.topics_of_cluster(request.cluster));
}

Result<Response> on_get_system_topic_list_from_ns(
    NameServer& server, const protocol::GetSystemTopicListFromNsRequest&) {
  return list_if(true, server.routes.system_topics());
}

Result<Response> on_get_unit_topic_list(NameServer& server, const protocol::NoFields&) {
  return list_if(server.config.enable_topic_list,
                 server.routes.topics_by_flags(protocol::kTopicUnit, 0));
}

Result<Response> on_get_has_unit_sub_topic_list(NameServer& server, const protocol::NoFields&) {
  return list_if(server.config.enable_topic_list,
                 server.routes.topics_by_flags(protocol::kTopicUnitSubscribed, 0));
}

Result<Response> on_get_has_unit_sub_ununit_topic_list(NameServer& server,
                                                       const protocol::NoFields&) {
  return list_if(
      server.config.enable_topic_list,
      server.routes.topics_by_flags(protocol::kTopicUnitSubscribed, protocol::kTopicUnit));
}

}  // namespace rmq::roles::namesrv
