// AdminClient: topics at their brokers.
#include "client/admin_client.h"
#include "protocol/body_json.h"
#include "protocol/offset.h"
#include "protocol/response_codes.h"
#include "protocol/topic.h"
#include "protocol/topic_groups_body.h"
#include "protocol/topic_stats_body.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

// "+key=value,+key=value"
std::string attributes_text(const protocol::TopicConfig& topic) {
  std::string text;
  for (const auto& [key, value] : topic.attributes) {
    text += (text.empty() ? "+" : ",+") + key + "=" + value;
  }
  return text;
}

}  // namespace

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
  co_return co_await tell(std::move(broker_address), std::move(request));
}

net::Task<Result<protocol::TopicConfig>> AdminClient::topic_config(std::string broker_address,
                                                                   std::string topic) {
  protocol::GetTopicConfigRequest header;
  header.topic = topic;
  protocol::Command request = make_request(RequestCode::GetTopicConfig, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  RMQ_CO_TRY(const json::Value object, protocol::parse_body(as_text(answer.body)));
  co_return protocol::topic_config_from(object);
}

net::Task<Result<protocol::TopicStats>> AdminClient::topic_stats(std::string broker_address,
                                                                 std::string topic) {
  protocol::GetTopicStatsInfoRequest header;
  header.topic = topic;
  protocol::Command request = make_request(RequestCode::GetTopicStatsInfo, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_topic_stats(as_text(answer.body));
}

net::Task<Result<std::vector<std::string>>> AdminClient::groups_of_topic(std::string broker_address,
                                                                         std::string topic) {
  protocol::QueryTopicConsumeByWhoRequest header;
  header.topic = topic;
  protocol::Command request = make_request(RequestCode::QueryTopicConsumeByWho, header);
  const auto answer = co_await ask_broker(broker_address, std::move(request));
  if (answer) co_return protocol::decode_group_list(as_text(answer->body));
  if (answer.error().code != ResponseCode::RequestCodeNotSupported) co_return fail(answer.error());
  // Who has committed offsets is the larger part of it.
  const protocol::GetAllConsumerOffsetRequest all;
  protocol::Command offsets = make_request(RequestCode::GetAllConsumerOffset, all);
  RMQ_CO_TRY(const protocol::Command table,
             co_await ask_broker(std::move(broker_address), std::move(offsets)));
  co_return protocol::decode_groups_with_offsets(as_text(table.body), topic);
}

net::Task<Result<>> AdminClient::delete_topic(std::string broker_address, std::string topic) {
  protocol::DeleteTopicInBrokerRequest header;
  header.topic = topic;
  protocol::Command request = make_request(RequestCode::DeleteTopicInBroker, header);
  co_return co_await tell(std::move(broker_address), std::move(request));
}

}  // namespace rmq::client
