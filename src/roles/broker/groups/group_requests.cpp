#include "roles/broker/groups/group_requests.h"

#include <chrono>

#include "base/log.h"
#include "net/await.h"
#include "protocol/group_body.h"
#include "roles/broker/broker.h"
#include "roles/broker/replication/table_state.h"

namespace rmq::roles::broker {

using namespace std::chrono_literals;

namespace {

// How long an administrator's change may take to reach the disk.
constexpr auto kSaveTimeout = 5s;

}  // namespace

net::Task<Result<Response>> on_update_and_create_subscriptiongroup(
    Broker& broker, Caller caller, protocol::UpdateAndCreateSubscriptiongroupRequest) {
  RMQ_CO_CHECK(refuse_on_slave(broker));
  if (caller.body().empty()) co_return respond();
  RMQ_CO_TRY(protocol::SubscriptionGroupConfig config,
             protocol::decode_subscription_group(as_text(caller.body())));
  log::info("groups", "group change asked for", kv("group", config.group),
            kv("peer", caller.connection->peer().text()));
  RMQ_CO_CHECK(broker.groups.update(std::move(config)));
  const SteadyTime deadline = std::chrono::steady_clock::now() + kSaveTimeout;
  RMQ_CO_CHECK(
      co_await net::await_at_least(broker.groups.saved(), broker.groups.version(), deadline));
  co_return respond();
}

net::Task<Result<Response>> on_delete_subscriptiongroup(
    Broker& broker, Caller caller, protocol::DeleteSubscriptiongroupRequest request) {
  RMQ_CO_CHECK(refuse_on_slave(broker));
  log::info("groups", "group deletion asked for", kv("group", request.group_name),
            kv("clean_offset", request.clean_offset), kv("peer", caller.connection->peer().text()));
  broker.groups.erase(request.group_name);
  if (request.clean_offset) {
    broker.offsets.erase_group(request.group_name);
    broker.readers.erase_group(request.group_name);
    broker.first_offsets.erase_group(request.group_name);
  }
  const SteadyTime deadline = std::chrono::steady_clock::now() + kSaveTimeout;
  RMQ_CO_CHECK(
      co_await net::await_at_least(broker.groups.saved(), broker.groups.version(), deadline));
  co_return respond();
}

Result<Response> on_get_all_subscriptiongroup_config(
    Broker& broker, const protocol::GetAllSubscriptiongroupConfigRequest& request) {
  const TableState state(broker, broker.groups.version().value);
  if (state.is_known(request.known)) return state.unchanged();
  const protocol::SubscriptionGroupTableBody body = broker.groups.contents();
  Response response = respond_body(protocol::encode_subscription_groups(body));
  const protocol::GetAllSubscriptiongroupConfigResponse header{
      .total_group_num = static_cast<std::int32_t>(body.groups.size())};
  protocol::append_fields(header, response.fields);
  state.add_to(response, request.known);
  return response;
}

}  // namespace rmq::roles::broker
