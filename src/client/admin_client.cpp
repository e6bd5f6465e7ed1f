#include "client/admin_client.h"

#include "client/server_call.h"
#include "protocol/client.h"
#include "protocol/group.h"
#include "protocol/kv.h"
#include "protocol/offset.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "protocol/topic.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

constexpr std::string_view kOrderNamespace = "ORDER_TOPIC_CONFIG";

// "+key=value,+key=value"
std::string attributes_text(const protocol::TopicConfig& topic) {
  std::string text;
  for (const auto& [key, value] : topic.attributes) {
    text += (text.empty() ? "+" : ",+") + key + "=" + value;
  }
  return text;
}

}  // namespace

net::Task<Result<protocol::Command>> AdminClient::ask_broker(std::string address,
                                                             protocol::Command request) {
  return ask_server(client_.rpc(), std::move(address), std::move(request), timeout_);
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

net::Task<Result<>> AdminClient::create_topic(std::string broker_address,
                                              protocol::TopicConfig topic) {
  const std::string attributes = attributes_text(topic);
  protocol::UpdateAndCreateTopicRequest header;
  header.topic = topic.topic;
  header.default_topic = kAutoCreateTopic;
  header.read_queue_nums = topic.read_queue_nums;
  header.write_queue_nums = topic.write_queue_nums;
  header.perm = topic.perm;
  header.topic_filter_type = protocol::to_text(topic.filter_type);
  header.topic_sys_flag = topic.topic_sys_flag;
  header.order = topic.order;
  header.attributes = attributes;
  protocol::Command request = make_request(RequestCode::UpdateAndCreateTopic, header);
  const auto answer = co_await ask_broker(std::move(broker_address), std::move(request));
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
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

net::Task<Result<protocol::KVTable>> AdminClient::runtime_info(std::string broker_address) {
  const protocol::GetBrokerRuntimeInfoRequest header;
  protocol::Command request = make_request(RequestCode::GetBrokerRuntimeInfo, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_kv_table(as_text(answer.body));
}

net::Task<Result<protocol::SubscriptionGroupTableBody>> AdminClient::groups(
    std::string broker_address) {
  const protocol::GetAllSubscriptiongroupConfigRequest header;
  protocol::Command request = make_request(RequestCode::GetAllSubscriptiongroupConfig, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_subscription_groups(as_text(answer.body));
}

net::Task<Result<protocol::ConsumeStats>> AdminClient::consume_stats(std::string broker_address,
                                                                     std::string group) {
  protocol::GetConsumeStatsRequest header;
  header.consumer_group = group;
  protocol::Command request = make_request(RequestCode::GetConsumeStats, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_consume_stats(as_text(answer.body));
}

net::Task<Result<protocol::ConsumerConnection>> AdminClient::consumers(std::string broker_address,
                                                                       std::string group) {
  protocol::GetConsumerConnectionListRequest header;
  header.consumer_group = group;
  protocol::Command request = make_request(RequestCode::GetConsumerConnectionList, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_consumer_connection(as_text(answer.body));
}

net::Task<Result<>> AdminClient::delete_group(std::string broker_address, std::string group) {
  protocol::DeleteSubscriptiongroupRequest header;
  header.group_name = group;
  header.clean_offset = true;
  protocol::Command request = make_request(RequestCode::DeleteSubscriptiongroup, header);
  const auto answer = co_await ask_broker(std::move(broker_address), std::move(request));
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

net::Task<Result<protocol::QueueOffsetMap>> AdminClient::reset_offsets(std::string broker_address,
                                                                       std::string topic,
                                                                       std::string group,
                                                                       std::int64_t epoch_ms) {
  protocol::InvokeBrokerToResetOffsetRequest header;
  header.topic = topic;
  header.group = group;
  header.timestamp = epoch_ms;
  header.is_force = true;
  protocol::Command request = make_request(RequestCode::InvokeBrokerToResetOffset, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_reset_offset(as_text(answer.body));
}

}  // namespace rmq::client
