#include "client/controller_client.h"

#include <algorithm>
#include <utility>

#include "client/server_call.h"
#include "net/net_errc.h"
#include "protocol/controller.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

namespace rmq::client {

using protocol::RequestCode;
using protocol::ResponseCode;

net::Task<Result<ControllerInfo>> ControllerClient::info(std::string address) {
  const protocol::ControllerGetMetadataInfoRequest header;
  protocol::Command request = make_request(RequestCode::ControllerGetMetadataInfo, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_server(client_.rpc(), address, std::move(request), timeout_));
  RMQ_CO_TRY(const protocol::ControllerGetMetadataInfoResponse said,
             protocol::decode_fields<protocol::ControllerGetMetadataInfoResponse>(answer.view()));
  ControllerInfo info;
  info.address = std::move(address);
  info.group = said.group;
  info.leader_id = said.controller_leader_id;
  info.leader_address = said.controller_leader_address;
  info.is_leader = said.is_leader;
  std::string_view peers = said.peers;
  while (!peers.empty()) {
    const std::size_t end = std::min(peers.find(';'), peers.size());
    if (end > 0) info.peers.emplace_back(peers.substr(0, end));
    peers.remove_prefix(std::min(end + 1, peers.size()));
  }
  co_return info;
}

net::Task<Result<std::string>> ControllerClient::leader() {
  Error error;
  for (const std::string& address : addresses_) {
    const Result<ControllerInfo> said = co_await info(address);
    if (said && !said->leader_address.empty()) co_return said->leader_address;
    error = said ? Error{make_error_code(ResponseCode::ControllerNotLeader),
                         address + ": the controllers have no leader"}
                 : said.error();
  }
  co_return fail(std::move(error));
}

net::Task<Result<protocol::Command>> ControllerClient::ask_leader(protocol::Command request) {
  RMQ_CO_TRY(const std::string address, co_await leader());
  Result<protocol::Command> answer =
      co_await ask_server(client_.rpc(), address, std::move(request), timeout_);
  co_return answer;
}

net::Task<Result<protocol::ReplicasOfSets>> ControllerClient::sets(std::vector<std::string> names) {
  const protocol::ControllerGetSyncStateDataRequest header;
  const std::string text = protocol::encode_broker_names(names);
  Bytes body(as_bytes(text).begin(), as_bytes(text).end());
  protocol::Command request =
      make_request(RequestCode::ControllerGetSyncStateData, header, std::move(body));
  RMQ_CO_TRY(const protocol::Command answer, co_await ask_leader(std::move(request)));
  co_return protocol::decode_replicas(as_text(answer.body));
}

net::Task<Result<ElectedMaster>> ControllerClient::elect(std::string cluster, std::string broker,
                                                         std::int64_t id) {
  protocol::ControllerElectMasterRequest header;
  header.cluster_name = cluster;
  header.broker_name = broker;
  header.broker_id = id;
  header.designate_elect = true;
  protocol::Command request = make_request(RequestCode::ControllerElectMaster, header);
  RMQ_CO_TRY(const protocol::Command answer, co_await ask_leader(std::move(request)));
  RMQ_CO_TRY(const protocol::ControllerElectMasterResponse said,
             protocol::decode_fields<protocol::ControllerElectMasterResponse>(answer.view()));
  ElectedMaster master;
  master.id = said.master_broker_id;
  master.address = said.master_address;
  master.epoch = said.master_epoch.value_or(0);
  master.set_epoch = said.sync_state_set_epoch.value_or(0);
  co_return master;
}

net::Task<Result<>> ControllerClient::clean(CleanedBrokers what) {
  const std::string ids = protocol::join_ids(what.ids, ';');
  protocol::CleanBrokerDataRequest header;
  header.cluster_name = what.cluster;
  header.broker_name = what.broker;
  header.broker_controller_ids_to_clean = ids;
  header.is_clean_living_broker = what.even_alive;
  protocol::Command request = make_request(RequestCode::CleanBrokerData, header);
  const Result<protocol::Command> answer = co_await ask_leader(std::move(request));
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

net::Task<Result<JavaProperties>> ControllerClient::config(std::string address) {
  const protocol::GetControllerConfigRequest header;
  protocol::Command request = make_request(RequestCode::GetControllerConfig, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_server(client_.rpc(), std::move(address), std::move(request), timeout_));
  co_return parse_properties(as_text(answer.body));
}

net::Task<Result<>> ControllerClient::update_config(std::string address, JavaProperties settings) {
  const protocol::UpdateControllerConfigRequest header;
  const std::string text = write_properties(settings);
  Bytes body(as_bytes(text).begin(), as_bytes(text).end());
  protocol::Command request =
      make_request(RequestCode::UpdateControllerConfig, header, std::move(body));
  const Result<protocol::Command> answer =
      co_await ask_server(client_.rpc(), std::move(address), std::move(request), timeout_);
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

}  // namespace rmq::client
