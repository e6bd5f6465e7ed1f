// Who serves what: every request of a broker.
#include <algorithm>
#include <array>

#include "roles/broker/admin/cleaning_requests.h"
#include "roles/broker/admin/config_requests.h"
#include "roles/broker/admin/runtime_info.h"
#include "roles/broker/broker_service.h"
#include "roles/broker/clients/client_requests.h"
#include "roles/broker/clients/consumer_status.h"
#include "roles/broker/controlled/replica_requests.h"
#include "roles/broker/delivery/send_msg_back.h"
#include "roles/broker/groups/group_requests.h"
#include "roles/broker/offsets/offset_requests.h"
#include "roles/broker/offsets/offset_tables.h"
#include "roles/broker/offsets/reset_offset.h"
#include "roles/broker/pulling/pull_message.h"
#include "roles/broker/query/query_requests.h"
#include "roles/broker/replication/ha_status.h"
#include "roles/broker/sending/reply_message.h"
#include "roles/broker/sending/send_message.h"
#include "roles/broker/topics/topic_requests.h"

namespace rmq::roles::broker {
namespace {

constexpr std::array kBrokerRequests{
    serve<&on_send_message>(RequestCode::SendMessage, Lane::Append),
    serve<&on_pull_message>(RequestCode::PullMessage, Lane::Pull),
    serve<&on_query_message>(RequestCode::QueryMessage, Lane::Disk),
    serve<&on_query_consumer_offset>(RequestCode::QueryConsumerOffset, Lane::Disk),
    serve<&on_update_consumer_offset>(RequestCode::UpdateConsumerOffset, Lane::Query),
    serve<&on_update_and_create_topic>(RequestCode::UpdateAndCreateTopic, Lane::Control),
    serve<&on_get_all_topic_config>(RequestCode::GetAllTopicConfig, Lane::Control),
    serve<&on_update_broker_config>(RequestCode::UpdateBrokerConfig, Lane::Control),
    serve<&on_get_broker_config>(RequestCode::GetBrokerConfig, Lane::Control),
    serve<&on_get_broker_runtime_info>(RequestCode::GetBrokerRuntimeInfo, Lane::Control),
    serve<&on_search_offset_by_timestamp>(RequestCode::SearchOffsetByTimestamp, Lane::Disk),
    serve<&on_get_max_offset>(RequestCode::GetMaxOffset, Lane::Query),
    serve<&on_get_min_offset>(RequestCode::GetMinOffset, Lane::Query),
    serve<&on_get_earliest_msg_storetime>(RequestCode::GetEarliestMsgStoretime, Lane::Disk),
    serve<&on_view_message_by_id>(RequestCode::ViewMessageById, Lane::Disk),
    serve<&on_heart_beat>(RequestCode::HeartBeat, Lane::Control),
    serve<&on_unregister_client>(RequestCode::UnregisterClient, Lane::Control),
    serve<&on_consumer_send_msg_back>(RequestCode::ConsumerSendMsgBack, Lane::Append),
    serve<&on_get_consumer_list_by_group>(RequestCode::GetConsumerListByGroup, Lane::Control),
    serve<&on_lock_batch_mq>(RequestCode::LockBatchMq, Lane::Control),
    serve<&on_unlock_batch_mq>(RequestCode::UnlockBatchMq, Lane::Control),
    serve<&on_get_all_consumer_offset>(RequestCode::GetAllConsumerOffset, Lane::Disk),
    serve<&on_get_all_delay_offset>(RequestCode::GetAllDelayOffset, Lane::Disk),
    serve<&on_check_client_config>(RequestCode::CheckClientConfig, Lane::Control),
    serve<&on_update_and_create_subscriptiongroup>(RequestCode::UpdateAndCreateSubscriptiongroup,
                                                   Lane::Control),
    serve<&on_get_all_subscriptiongroup_config>(RequestCode::GetAllSubscriptiongroupConfig,
                                                Lane::Control),
    serve<&on_get_topic_stats_info>(RequestCode::GetTopicStatsInfo, Lane::Disk),
    serve<&on_get_consumer_connection_list>(RequestCode::GetConsumerConnectionList, Lane::Control),
    serve<&on_get_producer_connection_list>(RequestCode::GetProducerConnectionList, Lane::Control),
    serve<&on_delete_subscriptiongroup>(RequestCode::DeleteSubscriptiongroup, Lane::Control),
    serve<&on_get_consume_stats>(RequestCode::GetConsumeStats, Lane::Disk),
    serve<&on_delete_topic_in_broker>(RequestCode::DeleteTopicInBroker, Lane::Control),
    serve<&on_invoke_broker_to_reset_offset>(RequestCode::InvokeBrokerToResetOffset, Lane::Disk),
    serve<&on_invoke_broker_to_get_consumer_status>(RequestCode::InvokeBrokerToGetConsumerStatus,
                                                    Lane::Control),
    serve<&on_clean_expired_consumequeue>(RequestCode::CleanExpiredConsumequeue, Lane::Query),
    serve<&on_send_message>(RequestCode::SendMessageV2, Lane::Append),
    serve<&on_clean_unused_topic>(RequestCode::CleanUnusedTopic, Lane::Disk),
    serve<&on_send_message>(RequestCode::SendBatchMessage, Lane::Append),
    serve<&on_send_reply_message>(RequestCode::SendReplyMessage, Lane::Append),
    serve<&on_send_reply_message>(RequestCode::SendReplyMessageV2, Lane::Append),
    serve<&on_delete_expired_commitlog>(RequestCode::DeleteExpiredCommitlog, Lane::Query),
    serve<&on_get_topic_config>(RequestCode::GetTopicConfig, Lane::Control),
    serve<&on_pull_message>(RequestCode::LitePullMessage, Lane::Pull),
    serve<&on_exchange_broker_ha_info>(RequestCode::ExchangeBrokerHaInfo, Lane::Control),
    serve<&on_get_broker_ha_status>(RequestCode::GetBrokerHaStatus, Lane::Control),
    serve<&on_get_broker_epoch_cache>(RequestCode::GetBrokerEpochCache, Lane::Control),
    serve<&on_notify_broker_role_changed>(RequestCode::NotifyBrokerRoleChanged, Lane::Control),
};
static_assert(sorted_and_unique(kBrokerRequests));

constexpr std::size_t kPulling =
    static_cast<std::size_t>(std::count_if(kBrokerRequests.begin(), kBrokerRequests.end(),
                                           [](const auto& row) { return row.lane == Lane::Pull; }));

constexpr auto kVipRequests = [] {
  std::array<ServedRequest<Broker>, kBrokerRequests.size() - kPulling> rows{};
  std::copy_if(kBrokerRequests.begin(), kBrokerRequests.end(), rows.begin(),
               [](const auto& row) { return row.lane != Lane::Pull; });
  return rows;
}();

}  // namespace

std::span<const ServedRequest<Broker>> broker_requests() { return kBrokerRequests; }
std::span<const ServedRequest<Broker>> vip_requests() { return kVipRequests; }

}  // namespace rmq::roles::broker
