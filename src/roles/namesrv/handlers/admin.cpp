#include <algorithm>
#include <array>

#include "base/java_compat.h"
#include "base/log.h"
#include "config/field.h"
#include "protocol/response_codes.h"
#include "roles/namesrv/handlers/handlers.h"
#include "roles/namesrv/name_server.h"

namespace rmq::roles::namesrv {

using protocol::ResponseCode;

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
  const JavaProperties properties = parse_properties(as_text(caller.body()));
  for (const auto& [key, value] : properties) {
    if (std::find(kNeverUpdated.begin(), kNeverUpdated.end(), key) != kNeverUpdated.end()) {
      return fail(ResponseCode::NoPermission, "Can not update config in black list.");
    }
  }
  NamesrvConfig next = server.config;
  const config::Rows settings = rows(next);
  for (const auto& [key, value] : properties) {
    const config::Row* row = settings.find_java(key);
    if (row == nullptr) continue;
    if (row->reload != config::Reload::Live) {
      return fail(ResponseCode::SystemError, key + " can only be changed with a restart");
    }
    if (const auto set = row->set(value); !set) {
      return fail(ResponseCode::SystemError, key + ": " + set.error().message());
    }
    log::info("namesrv", "setting changed until the next start", kv("key", key), kv("value", value),
              kv("by", caller.connection->peer().text()));
  }
  server.config = std::move(next);
  return respond();
}

Result<Response> on_get_namesrv_config(NameServer& server, const protocol::NoFields&) {
  std::string text;
  const config::Rows settings = rows(server.config);
  for (const config::Row& row : settings.all()) {
    if (!row.java_key.empty()) text += std::string(row.java_key) + "=" + row.get() + "\n";
  }
  for (const auto& [key, value] : server.config.other_keys) text += key + "=" + value + "\n";
  return respond_body(text);
}

}  // namespace rmq::roles::namesrv
