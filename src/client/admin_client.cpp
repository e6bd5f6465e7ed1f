#include "client/admin_client.h"

#include "client/server_call.h"
#include "protocol/kv.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "protocol/topic.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

constexpr std::string_view kOrderNamespace = "ORDER_TOPIC_CONFIG";

}  // namespace

net::Task<Result<protocol::Command>> AdminClient::ask_broker(std::string address,
                                                             protocol::Command request) {
  return ask_server(client_.rpc(), std::move(address), std::move(request), timeout_);
}

net::Task<Result<>> AdminClient::tell(std::string address, protocol::Command request) {
  const auto answer = co_await ask_broker(std::move(address), std::move(request));
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

net::Task<Result<protocol::ClusterInfo>> AdminClient::cluster_info() {
  const protocol::GetBrokerClusterInfoRequest header;
  protocol::Command request = make_request(RequestCode::GetBrokerClusterInfo, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await client_.name_servers().ask(std::move(request), timeout_));
  co_return protocol::decode_cluster_info(as_text(answer.body));
}

net::Task<Result<std::vector<std::string>>> AdminClient::topics() {
  const protocol::GetAllTopicListFromNameserverRequest header;
  protocol::Command request = make_request(RequestCode::GetAllTopicListFromNameserver, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await client_.name_servers().ask(std::move(request), timeout_));
  RMQ_CO_TRY(protocol::TopicList list, protocol::decode_topic_list(as_text(answer.body)));
  co_return std::move(list.topic_list);
}

net::Task<Result<std::vector<std::string>>> AdminClient::topics_of_cluster(std::string cluster) {
  protocol::GetTopicsByClusterRequest header;
  header.cluster = cluster;
  protocol::Command request = make_request(RequestCode::GetTopicsByCluster, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await client_.name_servers().ask(std::move(request), timeout_));
  RMQ_CO_TRY(protocol::TopicList list, protocol::decode_topic_list(as_text(answer.body)));
  co_return std::move(list.topic_list);
}

net::Task<Result<protocol::TopicRouteData>> AdminClient::route(std::string topic) {
  protocol::GetRouteinfoByTopicRequest header;
  header.topic = topic;
  header.accept_standard_json_only = true;
  protocol::Command request = make_request(RequestCode::GetRouteinfoByTopic, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await client_.name_servers().ask(std::move(request), timeout_));
  co_return protocol::decode_topic_route(as_text(answer.body));
}

net::Task<Result<>> AdminClient::put_order_config(std::string topic, std::string config) {
  protocol::PutKvConfigRequest header;
  header.config_namespace = kOrderNamespace;
  header.key = topic;
  header.value = config;
  const protocol::Command request = make_request(RequestCode::PutKvConfig, header);
  // Name servers do not tell each other.
  for (const std::string& address : client_.name_servers().addresses()) {
    const auto answer = co_await ask_broker(address, request);
    if (!answer) co_return fail(answer.error());
  }
  co_return Result<>{};
}

net::Task<Result<>> AdminClient::delete_order_config(std::string namesrv_address,
                                                     std::string topic) {
  co_return co_await delete_kv(std::move(namesrv_address), std::string(kOrderNamespace),
                               std::move(topic));
}

net::Task<Result<std::string>> AdminClient::order_config(std::string topic) {
  protocol::GetKvConfigRequest header;
  header.config_namespace = kOrderNamespace;
  header.key = topic;
  protocol::Command request = make_request(RequestCode::GetKvConfig, header);
  const auto answer = co_await client_.name_servers().ask(std::move(request), timeout_);
  if (!answer) {
    if (answer.error().code == ResponseCode::QueryNotFound) co_return std::string();
    co_return fail(answer.error());
  }
  const protocol::CommandView view = answer->view();
  co_return std::string(view.find("value").value_or(""));
}

net::Task<Result<>> AdminClient::delete_topic_in_namesrv(std::string namesrv_address,
                                                         std::string topic, std::string cluster) {
  protocol::DeleteTopicInNamesrvRequest header;
  header.topic = topic;
  header.cluster_name = cluster;
  protocol::Command request = make_request(RequestCode::DeleteTopicInNamesrv, header);
  co_return co_await tell(std::move(namesrv_address), std::move(request));
}

net::Task<Result<std::int32_t>> AdminClient::wipe_write_perm(std::string namesrv_address,
                                                             std::string broker) {
  protocol::WipeWritePermOfBrokerRequest header;
  header.broker_name = broker;
  protocol::Command request = make_request(RequestCode::WipeWritePermOfBroker, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(namesrv_address), std::move(request)));
  const auto fields =
      protocol::decode_fields<protocol::WipeWritePermOfBrokerResponse>(answer.view());
  if (!fields) co_return fail(fields.error());
  co_return fields->wipe_topic_count;
}

net::Task<Result<std::int32_t>> AdminClient::add_write_perm(std::string namesrv_address,
                                                            std::string broker) {
  protocol::AddWritePermOfBrokerRequest header;
  header.broker_name = broker;
  protocol::Command request = make_request(RequestCode::AddWritePermOfBroker, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(namesrv_address), std::move(request)));
  const auto fields =
      protocol::decode_fields<protocol::AddWritePermOfBrokerResponse>(answer.view());
  if (!fields) co_return fail(fields.error());
  co_return fields->add_topic_count;
}

net::Task<Result<std::string>> AdminClient::kv_value(std::string namesrv_address,
                                                     std::string name_space, std::string key) {
  protocol::GetKvConfigRequest header;
  header.config_namespace = name_space;
  header.key = key;
  protocol::Command request = make_request(RequestCode::GetKvConfig, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(namesrv_address), std::move(request)));
  const protocol::CommandView view = answer.view();
  co_return std::string(view.find("value").value_or(""));
}

net::Task<Result<protocol::KVTable>> AdminClient::kv_list(std::string namesrv_address,
                                                          std::string name_space) {
  protocol::GetKvlistByNamespaceRequest header;
  header.config_namespace = name_space;
  protocol::Command request = make_request(RequestCode::GetKvlistByNamespace, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(namesrv_address), std::move(request)));
  co_return protocol::decode_kv_table(as_text(answer.body));
}

net::Task<Result<>> AdminClient::put_kv(std::string namesrv_address, std::string name_space,
                                        std::string key, std::string value) {
  protocol::PutKvConfigRequest header;
  header.config_namespace = name_space;
  header.key = key;
  header.value = value;
  protocol::Command request = make_request(RequestCode::PutKvConfig, header);
  co_return co_await tell(std::move(namesrv_address), std::move(request));
}

net::Task<Result<>> AdminClient::delete_kv(std::string namesrv_address, std::string name_space,
                                           std::string key) {
  protocol::DeleteKvConfigRequest header;
  header.config_namespace = name_space;
  header.key = key;
  protocol::Command request = make_request(RequestCode::DeleteKvConfig, header);
  co_return co_await tell(std::move(namesrv_address), std::move(request));
}

net::Task<Result<JavaProperties>> AdminClient::namesrv_config(std::string namesrv_address) {
  const protocol::NoFields header;
  protocol::Command request = make_request(RequestCode::GetNamesrvConfig, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(namesrv_address), std::move(request)));
  co_return parse_properties(as_text(answer.body));
}

net::Task<Result<>> AdminClient::update_namesrv_config(std::string namesrv_address,
                                                       JavaProperties settings) {
  const protocol::NoFields header;
  const std::string text = write_properties(settings);
  Bytes body(as_bytes(text).begin(), as_bytes(text).end());
  protocol::Command request =
      make_request(RequestCode::UpdateNamesrvConfig, header, std::move(body));
  co_return co_await tell(std::move(namesrv_address), std::move(request));
}

}  // namespace rmq::client
