#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/field.h"
#include "protocol/controller_body.h"
#include "roles/controller/controller.h"
#include "roles/controller/handlers/handlers.h"
#include "roles/controller/refusals.h"
#include "roles/live_settings.h"

namespace rmq::roles::controller {
namespace {

using replication::Applied;
using replication::BrokerSet;
using replication::Cleaning;
using replication::ControllerErrc;
using replication::ReignInfo;
using replication::ReplicaId;

constexpr std::array<std::string_view, 3> kNeverUpdated{"configBlackList", "configStorePath",
                                                        "rocketmqHome"};

std::string clean_remark(ControllerErrc why, const BrokerSet& set, const Cleaning& cleaning,
                         const replication::ReplicaIds& alive) {
  if (why == ControllerErrc::MetadataNotExist) {
    return "Broker " + set.name + " is not existed,clean broker data failure.";
  }
  if (cleaning.ids.empty()) return "Broker " + set.name + " is still alive, clean up failure";
  for (const ReplicaId id : cleaning.ids) {
    if (!set.knows(id)) {
      return "Broker [" + set.name + ",  " + std::to_string(id) + "] is not registered";
    }
    if (alive.contains(id)) {
      return "Broker [" + set.name + ",  " + std::to_string(id) +
             "] is still alive, clean up failure";
    }
  }
  return "clean up failure";
}

}  // namespace

// GET_METADATA_INFO: every controller acts, so each says that it is the leader.
Result<Response> on_controller_get_metadata_info(
    Controller& controller, const protocol::ControllerGetMetadataInfoRequest&) {
  std::string peers;
  RMQ_TRY(const std::vector<Peer> group, parse_peers(controller.config.peers));
  for (const Peer& peer : group) peers += peer.id + ":" + peer.address() + ";";
  if (group.empty()) peers = controller.config.self_id + ":" + controller.address() + ";";
  return respond(
      protocol::ControllerGetMetadataInfoResponse{.group = controller.config.group,
                                                  .controller_leader_id = controller.config.self_id,
                                                  .controller_leader_address = controller.address(),
                                                  .is_leader = true,
                                                  .peers = peers});
}

// CLEAN_BROKER_DATA: forgets replicas, and the set with its last one. Who may live, because it was
// not heard of since the start, lives. With isCleanLivingBroker too the ids count, while RocketMQ
// then forgets all. Code: CONTROLLER_INVALID_CLEAN_BROKER_METADATA (2009).
net::Task<Result<Response>> on_clean_broker_data(Controller& controller, Caller,
                                                 protocol::CleanBrokerDataRequest request) {
  const std::string name(request.broker_name);
  const Result<std::vector<std::int64_t>> ids =
      protocol::parse_ids(request.broker_controller_ids_to_clean, ';');
  if (!ids) {
    co_return refusal(ControllerErrc::InvalidClean,
                      "Please set the option <brokerControllerIdsToClean> according to the "
                      "format, exception: " +
                          ids.error().detail);
  }
  Cleaning cleaning;
  cleaning.even_alive = request.is_clean_living_broker;
  for (const std::int64_t id : *ids) cleaning.ids.add(id);
  replication::ReplicaIds alive;
  std::optional<BrokerSet> emptied;  // as it is in the store
  Controller::Rule<ReignInfo> rule = [&](const BrokerSet& set) {
    alive = controller.perhaps_alive(set);
    Applied<ReignInfo> cleaned = clean(set, cleaning, alive);
    emptied.reset();
    if (!cleaned.changed || !cleaned.value.replicas.empty()) return cleaned;
    emptied = set;
    return replication::unchanged(set, set.info());
  };
  const Result<Applied<ReignInfo>> done =
      co_await controller.change<ReignInfo>(name, std::move(rule));
  if (!done) co_return store_failed(done.error());
  if (!done->answer) {
    const ControllerErrc why = reason_of(done->answer.error());
    co_return refusal(ControllerErrc::InvalidClean,
                      clean_remark(why, done->value, cleaning, alive));
  }
  if (emptied) {
    const Result<bool> removed = co_await controller.remove(name, emptied->version);
    if (!removed) co_return store_failed(removed.error());
    if (!*removed) {
      co_return refusal(ControllerErrc::InvalidClean, "Broker " + name + " changed meanwhile");
    }
  }
  const replication::ReplicaIds gone =
      cleaning.ids.empty() && emptied ? emptied->ids() : cleaning.ids;
  for (const ReplicaId id : gone) controller.forget({name, id});
  log::warn("controller", "replicas forgotten, an operator wanted it", kv("set", name),
            kv("ids", to_string(gone)), kv("set_gone", emptied.has_value()));
  co_return respond();
}

// UPDATE_CONTROLLER_CONFIG: as a name server's; until the next start.
Result<Response> on_update_controller_config(Controller& controller, const Caller& caller,
                                             const protocol::UpdateControllerConfigRequest&) {
  ControllerConfig scratch = controller.config;
  RMQ_TRY(const JavaProperties changes,
          check_changes(as_text(caller.body()), rows(scratch), kNeverUpdated));
  apply_changes(changes, rows(controller.config), "controller", caller.connection->peer().text());
  return respond();
}

Result<Response> on_get_controller_config(Controller& controller,
                                          const protocol::GetControllerConfigRequest&) {
  return respond_body(settings_text(rows(controller.config), controller.config.other_keys));
}

}  // namespace rmq::roles::controller
