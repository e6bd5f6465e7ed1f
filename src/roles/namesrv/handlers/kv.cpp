#include "protocol/response_codes.h"
#include "roles/namesrv/handlers/handlers.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {

using protocol::ResponseCode;

// PUT_KV_CONFIG. Codes: SYSTEM_ERROR (1) when it could not be written to disk; Java answers 0 then.
Result<Response> on_put_kv_config(NameServer& server, const protocol::PutKvConfigRequest& request) {
  RMQ_CHECK(server.kv.put(request.config_namespace, request.key, request.value));
  return respond();
}

// GET_KV_CONFIG. Codes: QUERY_NOT_FOUND (22).
Result<Response> on_get_kv_config(NameServer& server, const protocol::GetKvConfigRequest& request) {
  const auto value = server.kv.get(request.config_namespace, request.key);
  if (!value) {
    return fail(ResponseCode::QueryNotFound,
                "No config item, Namespace: " + std::string(request.config_namespace) +
                    " Key: " + std::string(request.key));
  }
  return respond(protocol::GetKvConfigResponse{.value = *value});
}

// DELETE_KV_CONFIG: what is not there counts as deleted. Codes: as PUT_KV_CONFIG.
Result<Response> on_delete_kv_config(NameServer& server,
                                     const protocol::DeleteKvConfigRequest& request) {
  RMQ_CHECK(server.kv.erase(request.config_namespace, request.key));
  return respond();
}

// GET_KVLIST_BY_NAMESPACE. Codes: QUERY_NOT_FOUND (22).
Result<Response> on_get_kvlist_by_namespace(NameServer& server,
                                            const protocol::GetKvlistByNamespaceRequest& request) {
  const auto table = server.kv.list(request.config_namespace);
  if (!table) {
    return fail(ResponseCode::QueryNotFound,
                "No config item, Namespace: " + std::string(request.config_namespace));
  }
  return respond_body(protocol::encode_kv_table(*table));
}

}  // namespace rmq::roles::namesrv
