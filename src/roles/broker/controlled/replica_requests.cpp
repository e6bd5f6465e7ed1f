#include "roles/broker/controlled/replica_requests.h"

#include <string>

#include "protocol/controller_body.h"
#include "protocol/response_codes.h"
#include "protocol/route_body.h"
#include "roles/broker/broker.h"
#include "roles/broker/controlled/replica_manager.h"

namespace rmq::roles::broker {

using replication::Epoch;
using replication::ReignInfo;
using replication::SetEpoch;

Result<Response> on_exchange_broker_ha_info(Broker& broker,
                                            const protocol::ExchangeBrokerHaInfoRequest&) {
  const std::string ha = broker.config.broker_ip2 + ":" +
                         std::to_string(static_cast<int>(broker.config.ha_listen_port));
  const std::string address = broker.address();
  return respond(protocol::ExchangeBrokerHaInfoResponse{
      .master_ha_address = ha,
      .master_flush_offset = broker.store->flushed().value().value,
      .master_address = address});
}

Result<Response> on_get_broker_epoch_cache(Broker& broker,
                                           const protocol::GetBrokerEpochCacheRequest&) {
  const ReplicaManager* replicas = broker.replicas();
  if (replicas == nullptr) {
    return fail(protocol::ResponseCode::SystemError,
                "this request only for brokers in controller mode");
  }
  protocol::EpochCache cache;
  cache.cluster_name = broker.config.cluster_name;
  cache.broker_name = broker.config.broker_name;
  cache.broker_id = replicas->leading() ? protocol::kMasterId : replicas->id();
  cache.max_offset = broker.store->appended().value().value;
  const replication::EpochHistory history = replicas->epochs().history();
  for (const replication::EpochEntry& entry : history.entries()) {
    const PhysicalOffset end = history.end_of_part(entry.start, PhysicalOffset{cache.max_offset});
    cache.entries.push_back({entry.epoch.value, entry.start.value, end.value});
  }
  return respond_body(protocol::encode_epoch_cache(cache));
}

Result<Response> on_notify_broker_role_changed(
    Broker& broker, const Caller& caller, const protocol::NotifyBrokerRoleChangedRequest& request) {
  if (broker.replicas() == nullptr) return respond(protocol::NoFields{});
  RMQ_TRY(const auto set, protocol::decode_sync_state_set(as_text(caller.body())));
  RMQ_TRY(const auto dead, protocol::parse_ids(request.dead, ','));
  ReignInfo reign;
  reign.master = request.master_broker_id;
  reign.master_address = std::string(request.master_address);
  reign.epoch = Epoch{request.master_epoch};
  reign.set_epoch = SetEpoch{request.sync_state_set_epoch};
  for (const std::int64_t id : set.ids) reign.members.add(id);
  for (const std::int64_t id : dead) reign.dead.add(id);
  broker.replicas()->on_notice(reign);
  return respond(protocol::NoFields{});
}

}  // namespace rmq::roles::broker
