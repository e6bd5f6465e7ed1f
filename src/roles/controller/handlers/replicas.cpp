#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

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
using replication::ReignInfo;
using replication::ReplicaId;

// When a heartbeat names no time-out, as in RocketMQ.
constexpr std::int64_t kTimeoutMs = 10'000;
constexpr std::int64_t kTimeoutMsMax = 600'000;

}  // namespace

// GET_NEXT_BROKER_ID: the id to apply for; nothing is promised.
net::Task<Result<Response>> on_controller_get_next_broker_id(
    Controller& controller, Caller, protocol::ControllerGetNextBrokerIdRequest request) {
  const Result<std::optional<BrokerSet>> set =
      co_await controller.store().load(std::string(request.broker_name));
  if (!set) co_return store_failed(set.error());
  co_return respond(protocol::ControllerGetNextBrokerIdResponse{
      .cluster_name = request.cluster_name,
      .broker_name = request.broker_name,
      .next_broker_id = next_broker_id(set->value_or(BrokerSet{}))});
}

// APPLY_BROKER_ID. Code: CONTROLLER_BROKER_ID_INVALID (2014).
net::Task<Result<Response>> on_controller_apply_broker_id(
    Controller& controller, Caller, protocol::ControllerApplyBrokerIdRequest request) {
  const std::string name(request.broker_name);
  if (name.empty()) {
    co_return refusal(ControllerErrc::InvalidRequest, "a broker set needs a name");
  }
  const replication::IdApplication application{
      .id = request.applied_broker_id, .check_code = std::string(request.register_check_code)};
  bool is_new = false;
  Controller::Rule<ReplicaId> rule = [&](const BrokerSet& set) {
    is_new = set.version == 0;
    BrokerSet named = set;
    if (is_new) named.cluster = request.cluster_name;
    return apply_broker_id(named, application);
  };
  const Result<Applied<ReplicaId>> done =
      co_await controller.change<ReplicaId>(name, std::move(rule));
  if (!done) co_return store_failed(done.error());
  const protocol::ControllerApplyBrokerIdResponse header{.cluster_name = request.cluster_name,
                                                         .broker_name = request.broker_name};
  if (!done->answer) {
    const std::string id = std::to_string(application.id);
    co_return refusal(
        reason_of(done->answer.error()),
        is_new
            ? "Broker-set: " + name +
                  " hasn't been registered in controller, but broker try to apply brokerId: " + id
            : "Fail to apply brokerId: " + id + " in broker-set: " + name,
        header);
  }
  if (done->changed) {
    log::info("controller", "broker has an id", kv("set", name), kv("id", application.id));
  }
  co_return respond(header);
}

// REGISTER_BROKER: notes the address. The master is named unless it is known to be dead; RocketMQ
// names one only when it was heard of. Code: CONTROLLER_BROKER_NEED_TO_BE_REGISTERED (2010).
net::Task<Result<Response>> on_controller_register_broker(
    Controller& controller, Caller, protocol::ControllerRegisterBrokerRequest request) {
  const std::string name(request.broker_name);
  const replication::Registration registration{.id = request.broker_id,
                                               .address = std::string(request.broker_address)};
  Controller::Rule<ReignInfo> rule = [&](const BrokerSet& set) {
    return register_broker(set, registration);
  };
  const Result<Applied<ReignInfo>> done =
      co_await controller.change<ReignInfo>(name, std::move(rule));
  if (!done) co_return store_failed(done.error());
  protocol::ControllerRegisterBrokerResponse header;
  header.cluster_name = request.cluster_name;
  header.broker_name = request.broker_name;
  if (!done->answer) {
    co_return refusal(reason_of(done->answer.error()),
                      done->value.replicas.empty()
                          ? "Broker-set: " + name + " hasn't been registered in controller"
                          : "BrokerId: " + std::to_string(registration.id) +
                                " hasn't been registered in broker-set: " + name,
                      header);
  }
  if (done->changed) {
    log::info("controller", "broker has an address", kv("set", name), kv("id", registration.id),
              kv("address", registration.address));
  }
  controller.expect({name, registration.id});
  const ReignInfo& reign = *done->answer;
  if (reign.master && !controller.is_dead(name, *reign.master)) {
    header.master_broker_id = reign.master;
    header.master_address = reign.master_address;
    header.master_epoch = reign.epoch.value;
    header.sync_state_set_epoch = reign.set_epoch.value;
  }
  Response response = respond(header);
  const std::string body = protocol::encode_sync_state_set(
      {.ids = {reign.members.begin(), reign.members.end()}, .epoch = reign.set_epoch.value});
  response.body = respond_body(body).body;
  co_return response;
}

// BROKER_HEARTBEAT. One of a broker that is not on record is answered, and noted only when another
// controller has put it there. Code: CONTROLLER_INVALID_REQUEST (2005): no id.
Result<Response> on_broker_heartbeat(Controller& controller, const Caller& caller,
                                     const protocol::BrokerHeartbeatRequest& request) {
  if (!request.broker_id) {
    return refusal(ControllerErrc::InvalidRequest, "Heart beat with empty brokerId");
  }
  RMQ_TRY(const protocol::HeartbeatExtras extras,
          protocol::decode_fields<protocol::HeartbeatExtras>(caller.command->view()));
  const std::int64_t timeout_ms = std::clamp<std::int64_t>(
      request.heartbeat_timeout_mills.value_or(kTimeoutMs), 1, kTimeoutMsMax);
  replication::Heartbeat beat;
  beat.set = request.broker_name;
  beat.id = *request.broker_id;
  beat.address = request.broker_addr;
  beat.standing.epoch.value = request.epoch.value_or(-1);
  beat.standing.end = request.max_offset.value_or(PhysicalOffset{-1});
  beat.standing.priority =
      request.election_priority.value_or(std::numeric_limits<std::int32_t>::max());
  beat.confirmed = request.confirm_offset.value_or(PhysicalOffset{-1});
  beat.timeout = std::chrono::milliseconds(timeout_ms);
  controller.heard(std::move(beat), *caller.connection, extras.set_notices);
  Response response;
  response.remark = "Heart beat success";
  return response;
}

}  // namespace rmq::roles::controller
