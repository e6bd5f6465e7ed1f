#include "roles/broker/offsets/offset_requests.h"

#include <algorithm>
#include <optional>
#include <string>

#include "protocol/response_codes.h"
#include "replication/group_offset.h"
#include "roles/broker/broker.h"
#include "roles/broker/offsets/commit_offset.h"
#include "roles/broker/offsets/offset_search.h"
#include "roles/broker/topics/topic_names.h"

namespace rmq::roles::broker {

using protocol::BoundaryType;
using protocol::ResponseCode;

namespace {

// Where a group that consumes from the last offset begins; nothing for any other.
std::optional<QueueOffset> first_offset(const Broker& broker,
                                        const protocol::QueryConsumerOffsetRequest& request) {
  const auto group = broker.clients.subscription(request.consumer_group);
  if (!group || !from_last_offset(*group)) return std::nullopt;
  if (request.topic.starts_with(kRetryTopicPrefix)) return QueueOffset{0};
  return broker.first_offsets.find(request.consumer_group, request.topic, request.queue_id);
}

// A slave may have had messages that this broker has lost; others get their numbers.
OffsetTable::Committed commit_of_slave(Broker& broker,
                                       const protocol::UpdateConsumerOffsetRequest& request) {
  const QueueOffset end = broker.store->visible_end(request.topic, request.queue_id);
  return broker.offsets.commit({}, request.consumer_group, request.topic, request.queue_id,
                               replication::cut_offset(request.commit_offset, end),
                               OffsetTable::Direction::Forward);
}

}  // namespace

Result<Response> on_query_consumer_offset(Broker& broker,
                                          const protocol::QueryConsumerOffsetRequest& request) {
  const auto known = broker.offsets.find(request.consumer_group, request.topic, request.queue_id);
  if (known && *known >= QueueOffset{0}) {
    return respond(protocol::QueryConsumerOffsetResponse{.offset = *known});
  }
  if (!request.set_zero_if_not_found.value_or(true)) {
    return fail(ResponseCode::QueryNotFound,
                "Not found, do not set to zero, maybe this group boot first");
  }
  RMQ_TRY(const storage::ReadResult first,
          read_one_message(*broker.store, request.topic, request.queue_id, QueueOffset{0}));
  if (first.status == storage::ReadStatus::Found && !first.behind_memory) {
    return respond(protocol::QueryConsumerOffsetResponse{.offset = QueueOffset{0}});
  }
  // Java answers "not found" from here on; a client that wants the end would ask for it next, and
  // skip what is sent in between.
  if (const auto begin = first_offset(broker, request))
    return respond(protocol::QueryConsumerOffsetResponse{.offset = *begin});
  return fail(ResponseCode::QueryNotFound,
              "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first");
}

Result<Response> on_update_consumer_offset(Broker& broker, const Caller& caller,
                                           const protocol::UpdateConsumerOffsetRequest& request) {
  if (!broker.groups.contains(request.consumer_group)) {
    return fail(ResponseCode::SubscriptionGroupNotExist,
                "Group " + std::string(request.consumer_group) + " not exist!");
  }
  if (!broker.topics.contains(request.topic)) {
    return fail(ResponseCode::TopicNotExist, "Topic " + std::string(request.topic) + " not exist!");
  }
  const OffsetTable::Committed committed =
      request.forward_only.value_or(false)
          ? commit_of_slave(broker, request)
          : commit_offset(broker, *caller.connection, request.consumer_group, request.topic,
                          request.queue_id, request.commit_offset);
  Response response;
  if (committed == OffsetTable::Committed::ResetPending)
    response.remark = "Offset has been previously reset";
  if (committed == OffsetTable::Committed::Smaller)
    response.remark = "Another consumer of the group reads the queue, and the offset is behind it";
  return response;
}

Result<Response> on_get_max_offset(Broker& broker, const protocol::GetMaxOffsetRequest& request) {
  return respond(protocol::GetMaxOffsetResponse{
      .offset = broker.store->visible_end(request.topic, request.queue_id)});
}

Result<Response> on_get_min_offset(Broker& broker, const protocol::GetMinOffsetRequest& request) {
  return respond(protocol::GetMinOffsetResponse{
      .offset = broker.store->min_offset(request.topic, request.queue_id)});
}

Result<Response> on_search_offset_by_timestamp(
    Broker& broker, const protocol::SearchOffsetByTimestampRequest& request) {
  const bool upper = request.boundary_type == BoundaryType::Upper;
  QueueOffset offset =
      first_stored_after(*broker.store, request.topic, request.queue_id, request.timestamp, !upper);
  if (upper) {
    const QueueOffset min = broker.store->min_offset(request.topic, request.queue_id);
    offset = std::max(min, offset - 1);
  }
  return respond(protocol::SearchOffsetByTimestampResponse{.offset = offset});
}

Result<Response> on_get_earliest_msg_storetime(
    Broker& broker, const protocol::GetEarliestMsgStoretimeRequest& request) {
  const QueueOffset min = broker.store->min_offset(request.topic, request.queue_id);
  const auto time = store_time(*broker.store, request.topic, request.queue_id, min);
  return respond(protocol::GetEarliestMsgStoretimeResponse{.timestamp = time.value_or(-1)});
}

}  // namespace rmq::roles::broker
