#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "protocol/controller_body.h"
#include "roles/controller/controller.h"
#include "roles/controller/handlers/handlers.h"
#include "roles/controller/refusals.h"

namespace rmq::roles::controller {
namespace {

using replication::Applied;
using replication::BrokerSet;
using replication::ControllerErrc;
using replication::Election;
using replication::Epoch;
using replication::ReignInfo;
using replication::ReplicaId;
using replication::ReplicaIds;
using replication::SetEpoch;
using replication::SetProposal;

std::vector<std::int64_t> list_of(const ReplicaIds& ids) { return {ids.begin(), ids.end()}; }

void set_body(Response& response, std::string_view text) {
  const ByteView bytes = as_bytes(text);
  response.body.assign(bytes.begin(), bytes.end());
}

void set_members(Response& response, const ReignInfo& reign) {
  set_body(response, protocol::encode_sync_state_set(
                         {.ids = list_of(reign.members), .epoch = reign.set_epoch.value}));
}

std::string id_text(const std::optional<ReplicaId>& id) {
  return id ? std::to_string(*id) : "null";
}

// RocketMQ's remark on a proposal, made from what refused it.
std::string alter_remark(ControllerErrc why, const BrokerSet& set, const SetProposal& proposal,
                         const ReplicaIds& alive) {
  const std::string begin = "Rejecting alter syncStateSet request because the ";
  const auto first_not_in = [&](const ReplicaIds& ids) {
    for (const ReplicaId id : proposal.members) {
      if (!ids.contains(id)) return std::to_string(id);
    }
    return std::string("null");
  };
  switch (why) {
    case ControllerErrc::InvalidMaster:
      return begin + "current leader is:{" + id_text(set.master) + "}, not {" +
             std::to_string(proposal.master) + "}";
    case ControllerErrc::FencedMasterEpoch:
      return begin + "current master epoch is:{" + std::to_string(set.epoch.value) + "}, not {" +
             std::to_string(proposal.epoch.value) + "}";
    case ControllerErrc::FencedSetEpoch:
      return begin + "current syncStateSet epoch is:{" + std::to_string(set.set_epoch.value) +
             "}, not {" + std::to_string(proposal.set_epoch.value) + "}";
    case ControllerErrc::InvalidReplicas:
      return begin + "replicas {" + first_not_in(set.ids()) + "} don't exist";
    case ControllerErrc::BrokerNotAlive:
      return begin + "replicas {" + first_not_in(alive) + "} don't alive";
    default:
      return begin + "newSyncStateSet don't contains origin leader {" + id_text(set.master) + "}";
  }
}

Response elected(const BrokerSet& set, const ReignInfo& reign) {
  const std::string dead = protocol::join_ids(list_of(reign.dead), ',');
  Response response =
      respond(protocol::ControllerElectMasterResponse{.master_broker_id = reign.master,
                                                      .master_address = reign.master_address,
                                                      .master_epoch = reign.epoch.value,
                                                      .sync_state_set_epoch = reign.set_epoch.value,
                                                      .dead = dead});
  protocol::ElectMasterBody body;
  body.group.emplace();
  body.group->cluster = set.cluster;
  body.group->broker_name = set.name;
  for (const auto& [id, replica] : set.replicas) body.group->broker_addrs[id] = replica.address;
  body.ids = list_of(reign.members);
  set_body(response, protocol::encode_elect_master(body));
  return response;
}

Response not_elected(ControllerErrc why, const BrokerSet& set) {
  switch (why) {
    case ControllerErrc::MasterStillExists: {
      const ReignInfo reign = set.info();
      Response response = refusal(
          why,
          "The old master " + id_text(set.master) +
              " is still alive, not need to elect new master for broker " + set.name,
          protocol::ControllerElectMasterResponse{.master_broker_id = reign.master,
                                                  .master_address = reign.master_address,
                                                  .master_epoch = reign.epoch.value,
                                                  .sync_state_set_epoch = reign.set_epoch.value});
      protocol::ElectMasterBody body;
      body.ids = list_of(reign.members);
      set_body(response, protocol::encode_elect_master(body));
      return response;
    }
    case ControllerErrc::NeedsRegistration:
      return refusal(why, "Broker hasn't been registered");
    case ControllerErrc::MasterNotAvailable:
      return refusal(why, "Old master has down and failed to elect a new broker master");
    default:
      return refusal(why, "Failed to elect a new master");
  }
}

Election election_of(const protocol::ControllerElectMasterRequest& request, const BrokerSet& set) {
  Election election;
  if (request.over) election.over = Epoch{*request.over};
  if (request.broker_id == -1) return election;
  if (!request.designate_elect) {
    election.asked_by = request.broker_id;
    return election;
  }
  election.designate = request.broker_id;
  // The first master is who asks; an operator may ask for a replica.
  if (set.knows(request.broker_id)) election.asked_by = request.broker_id;
  return election;
}

}  // namespace

// ALTER_SYNC_STATE_SET: the master wants another set. Codes: 2000 to 2003, 2006, 2013. The set that
// there is may be proposed again, which RocketMQ refuses (docs/decisions/0018).
net::Task<Result<Response>> on_controller_alter_sync_state_set(
    Controller& controller, Caller caller, protocol::ControllerAlterSyncStateSetRequest request) {
  RMQ_CO_TRY(const protocol::SyncStateSetBody wanted,
             protocol::decode_sync_state_set(as_text(caller.body())));
  const std::string name(request.broker_name);
  SetProposal proposal;
  proposal.master = request.master_broker_id;
  proposal.epoch = Epoch{request.master_epoch};
  proposal.set_epoch = SetEpoch{wanted.epoch};
  for (const std::int64_t id : wanted.ids) proposal.members.add(id);
  ReplicaIds alive;
  Controller::Rule<ReignInfo> rule = [&](const BrokerSet& set) {
    alive = controller.alive(set.name);
    return alter_sync_state_set(set, proposal, alive);
  };
  const Result<Applied<ReignInfo>> done =
      co_await controller.change<ReignInfo>(name, std::move(rule));
  if (!done) co_return store_failed(done.error());
  if (!done->answer) {
    const BrokerSet& set = done->value;
    const protocol::ControllerAlterSyncStateSetResponse header;
    if (set.replicas.empty()) {
      co_return refusal(ControllerErrc::AlterSetFailed, "Broker metadata is not existed", header);
    }
    const ControllerErrc why = reason_of(done->answer.error());
    log::info("controller", "SyncStateSet not changed", kv("set", name),
              kv("asked_by", proposal.master), kv("why", done->answer.error().message()));
    co_return refusal(why, alter_remark(why, set, proposal, alive), header);
  }
  const ReignInfo& reign = *done->answer;
  log::info("controller", "SyncStateSet changed", kv("set", name),
            kv("members", to_string(reign.members)), kv("set_epoch", reign.set_epoch.value));
  controller.tell(done->value, reign, Audience::SetNotices);
  Response response = respond(protocol::ControllerAlterSyncStateSetResponse{
      .new_sync_state_set_epoch = reign.set_epoch.value});
  set_members(response, reign);
  co_return response;
}

// ELECT_MASTER. Codes: 2004, 2010, 2011 (with the master that there is), 2012. An operator's choice
// that is no replica: 2012.
net::Task<Result<Response>> on_controller_elect_master(
    Controller& controller, Caller, protocol::ControllerElectMasterRequest request) {
  const std::string name(request.broker_name);
  Controller::Rule<ReignInfo> rule = [&](const BrokerSet& set) -> Applied<ReignInfo> {
    if (set.replicas.empty()) {
      return replication::refused<ReignInfo>(set, ControllerErrc::NeedsRegistration);
    }
    Election election = election_of(request, set);
    election.unclean = controller.config.enable_elect_unclean_master;
    return elect(set, election, controller.electorate(set));
  };
  const Result<Applied<ReignInfo>> done =
      co_await controller.change<ReignInfo>(name, std::move(rule));
  if (!done) co_return store_failed(done.error());
  if (!done->answer) co_return not_elected(reason_of(done->answer.error()), done->value);
  const ReignInfo& reign = *done->answer;
  // RocketMQ's brokers ask for the first election while their first heartbeat is on its way.
  controller.expect({name, *reign.master});
  log::info("controller", "master elected", kv("set", name), kv("master", id_text(reign.master)),
            kv("address", reign.master_address), kv("epoch", reign.epoch.value),
            kv("asked_by", request.broker_id), kv("by_operator", request.designate_elect),
            kv("dead", to_string(reign.dead)));
  controller.tell(done->value, reign, Audience::All);
  co_return elected(done->value, reign);
}

// GET_REPLICA_INFO. Code: CONTROLLER_BROKER_METADATA_NOT_EXIST (2008).
net::Task<Result<Response>> on_controller_get_replica_info(
    Controller& controller, Caller, protocol::ControllerGetReplicaInfoRequest request) {
  const Result<std::optional<BrokerSet>> set =
      co_await controller.store().load(std::string(request.broker_name));
  if (!set) co_return store_failed(set.error());
  if (!*set || (*set)->replicas.empty()) {
    co_return refusal(ControllerErrc::MetadataNotExist, "Broker metadata is not existed");
  }
  const ReignInfo reign = (*set)->info();
  Response response =
      respond(protocol::ControllerGetReplicaInfoResponse{.master_broker_id = reign.master,
                                                         .master_address = reign.master_address,
                                                         .master_epoch = reign.epoch.value});
  set_members(response, reign);
  co_return response;
}

// GET_SYNC_STATE_DATA: the sets of the body that there are. Without a body, or with an empty list,
// all of them: RocketMQ answers nothing then.
net::Task<Result<Response>> on_controller_get_sync_state_data(
    Controller& controller, Caller caller, protocol::ControllerGetSyncStateDataRequest) {
  std::vector<std::string> names;
  if (!caller.body().empty()) {
    RMQ_CO_TRY(names, protocol::decode_broker_names(as_text(caller.body())));
  }
  const Result<std::vector<BrokerSet>> sets = co_await controller.store().list();
  if (!sets) co_return store_failed(sets.error());
  protocol::ReplicasOfSets all;
  for (const BrokerSet& set : *sets) {
    if (!names.empty() && std::ranges::find(names, set.name) == names.end()) continue;
    protocol::ReplicasOfSet& told = all[set.name];
    const ReignInfo reign = set.info();
    told.master_id = reign.master;
    told.master_address = reign.master_address;
    told.master_epoch = reign.epoch.value;
    told.set_epoch = reign.set_epoch.value;
    const ReplicaIds alive = controller.alive(set.name);
    const ReplicaIds perhaps = controller.perhaps_alive(set);
    for (const auto& [id, replica] : set.replicas) {
      auto& list = set.members.contains(id) ? told.in_sync : told.not_in_sync;
      const bool lives = alive.contains(id);
      list.push_back({.id = id,
                      .address = replica.address,
                      .alive = lives,
                      .unheard = !lives && perhaps.contains(id)});
    }
  }
  co_return respond_body(protocol::encode_replicas(all));
}

}  // namespace rmq::roles::controller
