// AdminClient: consumer groups at their brokers.
#include "client/admin_client.h"
#include "protocol/client.h"
#include "protocol/group.h"
#include "protocol/offset.h"
#include "protocol/topic.h"

namespace rmq::client {

using protocol::RequestCode;

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
  co_return co_await tell(std::move(broker_address), std::move(request));
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
