#include <array>

#include "base/log.h"
#include "config/field.h"
#include "roles/live_settings.h"
#include "roles/namesrv/handlers/handlers.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {

namespace {

constexpr std::array<std::string_view, 4> kNeverUpdated{"configBlackList", "configStorePath",
                                                        "kvConfigPath", "rocketmqHome"};

}  // namespace

Result<Response> on_wipe_write_perm_of_broker(
    NameServer& server, const protocol::WipeWritePermOfBrokerRequest& request) {
  const std::int32_t topics = server.routes.wipe_write_perm(request.broker_name);
  log::info("namesrv", "write permission wiped", kv("broker", request.broker_name),
            kv("topics", topics));
  return respond(protocol::WipeWritePermOfBrokerResponse{.wipe_topic_count = topics});
}

Result<Response> on_add_write_perm_of_broker(NameServer& server,
                                             const protocol::AddWritePermOfBrokerRequest& request) {
  const std::int32_t topics = server.routes.add_write_perm(request.broker_name);
  log::info("namesrv", "write permission added", kv("broker", request.broker_name),
            kv("topics", topics));
  return respond(protocol::AddWritePermOfBrokerResponse{.add_topic_count = topics});
}

Result<Response> on_delete_topic_in_namesrv(NameServer& server,
                                            const protocol::DeleteTopicInNamesrvRequest& request) {
  if (request.cluster_name.empty()) {
    server.routes.delete_topic(request.topic);
  } else {
    server.routes.delete_topic(request.topic, request.cluster_name);
  }
  return respond();
}

// UPDATE_NAMESRV_CONFIG: all of the body's settings or none, until the next start: the config file
// stays as it is (Java rewrites it). Keys that no setting has are ignored, as in Java. Codes:
// NO_PERMISSION (16): a key that must not be changed; SYSTEM_ERROR (1): a bad value, or a setting
// that only counts at a start.
Result<Response> on_update_namesrv_config(NameServer& server, const Caller& caller,
                                          const protocol::NoFields&) {
  NamesrvConfig scratch = server.config;
  RMQ_TRY(const JavaProperties changes,
          check_changes(as_text(caller.body()), rows(scratch), kNeverUpdated));
  apply_changes(changes, rows(server.config), "namesrv", caller.connection->peer().text());
  return respond();
}

Result<Response> on_get_namesrv_config(NameServer& server, const protocol::NoFields&) {
  return respond_body(settings_text(rows(server.config), server.config.other_keys));
}

}  // namespace rmq::roles::namesrv
