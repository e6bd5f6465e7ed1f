#include "roles/broker/admin/config_requests.h"

#include <array>
#include <functional>
#include <string>
#include <utility>

#include "config/field.h"
#include "net/await_pool.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/live_settings.h"

namespace rmq::roles::broker {
namespace {

constexpr std::array<std::string_view, 3> kNeverUpdated{"brokerConfigPath", "configBlackList",
                                                        "rocketmqHome"};

}  // namespace

net::Task<Result<Response>> on_update_broker_config(Broker& broker, Caller caller,
                                                    protocol::UpdateBrokerConfigRequest) {
  BrokerConfig scratch = broker.config;
  RMQ_CO_TRY(const JavaProperties changes,
             check_changes(as_text(caller.body()), rows(scratch), kNeverUpdated));
  RMQ_CO_CHECK(broker.check_role_change(scratch));
  if (scratch.enable_controller_mode != broker.config.enable_controller_mode) {
    std::function<Result<>()> turn = [&broker, on = scratch.enable_controller_mode,
                                      addresses = scratch.controller_addr] {
      return on ? broker.turn_to_controllers(addresses) : broker.turn_from_controllers();
    };
    const Result<> turned = co_await net::run_on<void>(broker.mode_work, std::move(turn));
    if (!turned) {
      co_return fail(protocol::ResponseCode::SystemError, turned.error().message());
    }
  }
  apply_changes(changes, rows(broker.config), "broker", caller.connection->peer().text());
  // What clients may do here is part of every topic's route.
  if (changes.empty()) co_return respond();
  broker.replication().settings_changed();
  broker.registration.settings_changed();
  co_return respond();
}

Result<Response> on_get_broker_config(Broker& broker, const protocol::GetBrokerConfigRequest&) {
  Response response = respond_body(settings_text(rows(broker.config), broker.config.other_keys));
  const std::string version = protocol::encode_data_version(broker.topics.data_version());
  protocol::append_fields(protocol::GetBrokerConfigResponse{.version = version}, response.fields);
  return response;
}

}  // namespace rmq::roles::broker
