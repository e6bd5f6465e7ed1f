#include "base/log.h"
#include "protocol/data_version.h"
#include "protocol/registration_body.h"
#include "protocol/response_codes.h"
#include "roles/namesrv/handlers/handlers.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {

using protocol::ResponseCode;

namespace {

Registration registration_of(const Caller& caller, const protocol::RegisterBrokerRequest& request) {
  Registration registration;
  registration.cluster = request.cluster_name;
  registration.broker_name = request.broker_name;
  registration.broker_addr = request.broker_addr;
  registration.broker_id = request.broker_id;
  registration.ha_server_addr = request.ha_server_addr;
  if (!request.zone_name.empty()) registration.zone_name = request.zone_name;
  registration.heartbeat_timeout_ms = request.heartbeat_timeout_millis;
  registration.enable_acting_master = request.enable_acting_master;
  registration.connection = caller.connection->id();
  return registration;
}

}  // namespace

// REGISTER_BROKER. Codes: SYSTEM_ERROR (1): checksum or body wrong, no name or address, or a single
// topic from a broker that is not registered yet.
Result<Response> on_register_broker(NameServer& server, const Caller& caller,
                                    const protocol::RegisterBrokerRequest& request) {
  if (request.body_crc32 != 0 &&
      request.body_crc32 != protocol::registration_crc32(caller.body())) {
    log::warn("namesrv", "registration with a wrong checksum", kv("broker", request.broker_name),
              kv("from", caller.connection->peer().text()));
    return fail(ResponseCode::SystemError, "crc32 not match");
  }
  // Clients would take a route with an empty name or address apart and fail; Java lets them.
  if (request.broker_name.empty() || request.broker_addr.empty() || request.cluster_name.empty()) {
    return fail(ResponseCode::SystemError, "register broker failed: empty name or address");
  }
  RMQ_TRY(const protocol::RegisterBrokerBody body,
          protocol::decode_registration(caller.body(), caller.command->version));
  const auto result = server.routes.register_broker(registration_of(caller, request), body);
  if (!result) return fail(ResponseCode::SystemError, "register broker failed");
  server.remember(caller.connection);
  server.notify_min_id_changes();

  Response response = respond(protocol::RegisterBrokerResponse{
      .ha_server_addr = result->ha_server_addr, .master_addr = result->master_addr});
  if (server.config.return_order_topic_config_to_broker) {
    if (const auto orders = server.kv.list(kOrderTopicNamespace)) {
      response.body = respond_body(protocol::encode_kv_table(*orders)).body;
    }
  }
  return response;
}

// UNREGISTER_BROKER: at once, where Java queues it.
Result<Response> on_unregister_broker(NameServer& server,
                                      const protocol::UnregisterBrokerRequest& request) {
  const BrokerIdentity broker{std::string(request.cluster_name), std::string(request.broker_name),
                              std::string(request.broker_addr)};
  server.routes.unregister({&broker, 1});
  server.notify_min_id_changes();
  return respond();
}

// QUERY_DATA_VERSION: whether the broker must register again. A sign of life.
Result<Response> on_query_data_version(NameServer& server, const Caller& caller,
                                       const protocol::QueryDataVersionRequest& request) {
  const auto known = server.routes.data_version(request.cluster_name, request.broker_addr);
  server.routes.touch(request.cluster_name, request.broker_addr);
  bool changed = true;
  if (known && !caller.body().empty()) {
    RMQ_TRY(const protocol::DataVersion asked,
            protocol::decode_data_version(as_text(caller.body())));
    changed = asked != *known;
  }
  Response response = respond(protocol::QueryDataVersionResponse{.changed = changed});
  if (known) response.body = respond_body(protocol::encode_data_version(*known)).body;
  return response;
}

Result<Response> on_broker_heartbeat(NameServer& server,
                                     const protocol::BrokerHeartbeatRequest& request) {
  server.routes.touch(request.cluster_name, request.broker_addr);
  return respond();
}

// GET_BROKER_MEMBER_GROUP: never fails; an unknown broker has no addresses.
Result<Response> on_get_broker_member_group(NameServer& server,
                                            const protocol::GetBrokerMemberGroupRequest& request) {
  return respond_body(protocol::encode_broker_member_group(
      server.routes.member_group(request.cluster_name, request.broker_name)));
}

// REGISTER_TOPIC_IN_NAMESRV: always 0, as in Java; queues of unknown brokers are ignored.
Result<Response> on_register_topic_in_namesrv(
    NameServer& server, const Caller& caller,
    const protocol::RegisterTopicInNamesrvRequest& request) {
  if (caller.body().empty()) return respond();
  RMQ_TRY(const protocol::TopicRouteData route,
          protocol::decode_topic_route(as_text(caller.body())));
  server.routes.register_topic(request.topic, route.queue_datas);
  return respond();
}

}  // namespace rmq::roles::namesrv
