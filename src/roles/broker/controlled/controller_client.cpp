#include "roles/broker/controlled/controller_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/await.h"
#include "protocol/controller.h"
#include "protocol/controller_body.h"
#include "protocol/header_fields.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "roles/broker/address_list.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;
using replication::Epoch;
using replication::ReignInfo;
using replication::ReplicaId;
using replication::ReplicaIds;
using replication::SetEpoch;

constexpr std::chrono::milliseconds kTimeout = 1s;

ReplicaIds ids_of(const std::vector<std::int64_t>& list) {
  ReplicaIds ids;
  for (const std::int64_t id : list) ids.add(id);
  return ids;
}

Error refusal(const Command& answer) {
  return {make_error_code(static_cast<ResponseCode>(answer.code)), answer.remark};
}

// Of an answer with the master's four fields and a SyncStateSet as body.
template <class Fields>
Result<ReignInfo> reign_of(const Command& answer, std::string_view body_set) {
  RMQ_TRY(const auto fields, protocol::decode_fields<Fields>(answer.view()));
  ReignInfo reign;
  reign.master = fields.master_broker_id;
  reign.master_address = std::string(fields.master_address);
  if (fields.master_epoch) reign.epoch = Epoch{*fields.master_epoch};
  if (fields.sync_state_set_epoch) reign.set_epoch = SetEpoch{*fields.sync_state_set_epoch};
  if (!body_set.empty()) {
    RMQ_TRY(const auto set, protocol::decode_sync_state_set(body_set));
    reign.members = ids_of(set.ids);
  }
  return reign;
}

Result<ReignInfo> elected(const Command& answer) {
  RMQ_TRY(ReignInfo reign, reign_of<protocol::ControllerElectMasterResponse>(answer, {}));
  RMQ_TRY(const auto fields,
          protocol::decode_fields<protocol::ControllerElectMasterResponse>(answer.view()));
  RMQ_TRY(const auto dead, protocol::parse_ids(fields.dead, ','));
  reign.dead = ids_of(dead);
  if (answer.body.empty()) return reign;
  RMQ_TRY(const auto body, protocol::decode_elect_master(as_text(answer.body)));
  reign.members = ids_of(body.ids);
  if (body.group) {
    for (const auto& [id, address] : body.group->broker_addrs) reign.replicas.add(id);
  }
  return reign;
}

}  // namespace

ControllerClient::ControllerClient(const BrokerConfig& config, net::RpcClient& client,
                                   net::IoThread& control)
    : config_(config),
      client_(client),
      control_(control),
      controllers_(split_addresses(config.controller_addr)) {}

// Each controller once, beginning with the one that answered last.
net::Task<Result<Command>> ControllerClient::ask(Question question) {
  Error why{make_error_code(net::NetErrc::ConnectFailed), "controllerAddr names no controller"};
  for (std::size_t i = 0; i < controllers_.size(); ++i) {
    const std::string address = controllers_[current_ % controllers_.size()];
    Command request = question();
    Result<Command> answer = co_await client_.call(address, std::move(request), kTimeout);
    const bool leads =
        answer && answer->code != static_cast<std::int32_t>(ResponseCode::ControllerNotLeader);
    if (leads) co_return std::move(answer);
    why = answer ? refusal(*answer) : answer.error();
    ++current_;
  }
  co_return fail(std::move(why));
}

net::Task<Result<ReplicaId>> ControllerClient::next_id() {
  Question question = [this] {
    const protocol::ControllerGetNextBrokerIdRequest header{.cluster_name = config_.cluster_name,
                                                            .broker_name = config_.broker_name};
    return protocol::make_request(RequestCode::ControllerGetNextBrokerId, header);
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  if (answer.code != 0) co_return fail(refusal(answer));
  RMQ_CO_TRY(const auto fields,
             protocol::decode_fields<protocol::ControllerGetNextBrokerIdResponse>(answer.view()));
  co_return fields.next_broker_id;
}

net::Task<Result<>> ControllerClient::apply_id(ReplicaId id, std::string check_code) {
  Question question = [this, id, check_code] {
    const protocol::ControllerApplyBrokerIdRequest header{.cluster_name = config_.cluster_name,
                                                          .broker_name = config_.broker_name,
                                                          .applied_broker_id = id,
                                                          .register_check_code = check_code};
    return protocol::make_request(RequestCode::ControllerApplyBrokerId, header);
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  if (answer.code != 0) co_return fail(refusal(answer));
  co_return Result<>{};
}

net::Task<Result<ReignInfo>> ControllerClient::register_broker(ReplicaId id, std::string address) {
  Question question = [this, id, address] {
    const protocol::ControllerRegisterBrokerRequest header{.cluster_name = config_.cluster_name,
                                                           .broker_name = config_.broker_name,
                                                           .broker_id = id,
                                                           .broker_address = address};
    return protocol::make_request(RequestCode::ControllerRegisterBroker, header);
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  if (answer.code != 0) co_return fail(refusal(answer));
  co_return reign_of<protocol::ControllerRegisterBrokerResponse>(answer, as_text(answer.body));
}

net::Task<Result<ReignInfo>> ControllerClient::ask_reign() {
  Question question = [this] {
    const protocol::ControllerGetSyncStateDataRequest header;
    const std::string names = protocol::encode_broker_names({config_.broker_name});
    const ByteView bytes = as_bytes(names);
    return protocol::make_request(RequestCode::ControllerGetSyncStateData, header,
                                  Bytes(bytes.begin(), bytes.end()));
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  if (answer.code != 0) co_return fail(refusal(answer));
  RMQ_CO_TRY(const auto sets, protocol::decode_replicas(as_text(answer.body)));
  const auto found = sets.find(config_.broker_name);
  if (found == sets.end()) {
    co_return fail(ResponseCode::ControllerBrokerMetadataNotExist, config_.broker_name);
  }
  const protocol::ReplicasOfSet& set = found->second;
  ReignInfo reign;
  reign.master = set.master_id;
  reign.master_address = set.master_address;
  reign.epoch = Epoch{set.master_epoch};
  reign.set_epoch = SetEpoch{set.set_epoch};
  for (const protocol::ReplicaState& replica : set.in_sync) {
    reign.members.add(replica.id);
    reign.replicas.add(replica.id);
  }
  for (const protocol::ReplicaState& replica : set.not_in_sync) reign.replicas.add(replica.id);
  co_return reign;
}

net::Task<Result<ReignInfo>> ControllerClient::elect(ReplicaId id, std::optional<Epoch> over) {
  Question question = [this, id, over] {
    protocol::ControllerElectMasterRequest header;
    header.cluster_name = config_.cluster_name;
    header.broker_name = config_.broker_name;
    header.broker_id = id;
    if (over) header.over = over->value;
    return protocol::make_request(RequestCode::ControllerElectMaster, header);
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  const bool there_is_one =
      answer.code == static_cast<std::int32_t>(ResponseCode::ControllerMasterStillExist);
  if (answer.code != 0 && !there_is_one) co_return fail(refusal(answer));
  co_return elected(answer);
}

net::Task<Result<ReignInfo>> ControllerClient::alter(replication::SetProposal proposal) {
  Question question = [this, proposal] {
    const protocol::ControllerAlterSyncStateSetRequest header{.broker_name = config_.broker_name,
                                                              .master_broker_id = proposal.master,
                                                              .master_epoch = proposal.epoch.value};
    const std::string set =
        protocol::encode_sync_state_set({.ids = {proposal.members.begin(), proposal.members.end()},
                                         .epoch = proposal.set_epoch.value});
    const ByteView bytes = as_bytes(set);
    return protocol::make_request(RequestCode::ControllerAlterSyncStateSet, header,
                                  Bytes(bytes.begin(), bytes.end()));
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  if (answer.code != 0) co_return fail(refusal(answer));
  RMQ_CO_TRY(const auto set, protocol::decode_sync_state_set(as_text(answer.body)));
  ReignInfo reign;
  reign.master = proposal.master;
  reign.epoch = proposal.epoch;
  reign.members = ids_of(set.ids);
  reign.set_epoch = SetEpoch{set.epoch};
  co_return reign;
}

net::Task<Result<>> ControllerClient::forget_set() {
  Question question = [this] {
    protocol::CleanBrokerDataRequest header;
    header.cluster_name = config_.cluster_name;
    header.broker_name = config_.broker_name;
    header.is_clean_living_broker = true;
    return protocol::make_request(RequestCode::CleanBrokerData, header);
  };
  RMQ_CO_TRY(const Command answer, co_await ask(std::move(question)));
  if (answer.code != 0) co_return fail(refusal(answer));
  co_return Result<>{};
}

void ControllerClient::beat(const Beat& beat) {
  protocol::BrokerHeartbeatRequest header;
  header.cluster_name = config_.cluster_name;
  header.broker_addr = beat.address;
  header.broker_name = config_.broker_name;
  header.broker_id = beat.id;
  header.epoch = beat.epoch.value;
  header.max_offset = beat.end;
  header.confirm_offset = beat.confirmed;
  header.heartbeat_timeout_mills = config_.controller_heartbeat_timeout.count();
  header.election_priority = config_.broker_election_priority;
  Command heartbeat = protocol::make_request(RequestCode::BrokerHeartbeat, header);
  const protocol::HeartbeatExtras extras{.set_notices = true};
  protocol::append_fields(extras, heartbeat.fields);
  for (const std::string& address : controllers_) {
    std::function<net::Task<>()> send = [this, address, heartbeat] {
      return send_beat(address, heartbeat);
    };
    net::spawn(control_, "heartbeat", std::move(send));
  }
}

net::Task<> ControllerClient::send_beat(std::string address, Command heartbeat) {
  // Who does not hear it takes this broker for dead, and says so when it is heard again.
  [[maybe_unused]] const Result<> sent =
      co_await client_.send_oneway(address, std::move(heartbeat), kTimeout);
}

}  // namespace rmq::roles::broker
