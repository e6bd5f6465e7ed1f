#include "roles/broker/admin/config_requests.h"

#include <array>

#include "config/field.h"
#include "roles/broker/broker.h"
#include "roles/live_settings.h"

namespace rmq::roles::broker {
namespace {

constexpr std::array<std::string_view, 3> kNeverUpdated{"brokerConfigPath", "configBlackList",
                                                        "rocketmqHome"};

}  // namespace

Result<Response> on_update_broker_config(Broker& broker, const Caller& caller,
                                         const protocol::UpdateBrokerConfigRequest&) {
  BrokerConfig scratch = broker.config;
  RMQ_TRY(const JavaProperties changes,
          check_changes(as_text(caller.body()), rows(scratch), kNeverUpdated));
  RMQ_CHECK(broker.check_role_change(scratch));
  apply_changes(changes, rows(broker.config), "broker", caller.connection->peer().text());
  // What clients may do here is part of every topic's route.
  if (changes.empty()) return respond();
  broker.role_settings_changed();
  broker.registration.settings_changed();
  return respond();
}

Result<Response> on_get_broker_config(Broker& broker, const protocol::GetBrokerConfigRequest&) {
  Response response = respond_body(settings_text(rows(broker.config), broker.config.other_keys));
  const std::string version = protocol::encode_data_version(broker.topics.data_version());
  protocol::append_fields(protocol::GetBrokerConfigResponse{.version = version}, response.fields);
  return response;
}

}  // namespace rmq::roles::broker
