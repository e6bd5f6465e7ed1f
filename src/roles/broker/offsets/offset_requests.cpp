#include "roles/broker/offsets/offset_requests.h"

#include <algorithm>
#include <optional>
#include <string>

#include "protocol/message_record.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

using protocol::BoundaryType;
using protocol::ResponseCode;

namespace {

storage::ReadResult read_one(const storage::MessageStore& store, std::string_view topic,
                             QueueId queue_id, QueueOffset at) {
  storage::ReadRequest one;
  one.topic = topic;
  one.queue_id = queue_id;
  one.from = at;
  one.count_max = 1;
  return store.read(one);
}

// Milliseconds; nothing when the message is gone.
std::optional<std::int64_t> store_time(const storage::MessageStore& store, std::string_view topic,
                                       QueueId queue_id, QueueOffset at) {
  const storage::ReadResult result = read_one(store, topic, queue_id, at);
  if (result.status != storage::ReadStatus::Found || result.records.empty()) return std::nullopt;
  const auto record = protocol::decode_record(result.records.front().bytes);
  if (!record) return std::nullopt;
  return record->store_timestamp_ms;
}

// The first offset in [begin, end) whose message was stored after `timestamp` (or at it, with
// `including`); `end` when there is none. Store times never go backwards within a log.
QueueOffset first_stored_after(const storage::MessageStore& store, std::string_view topic,
                               QueueId queue_id, std::int64_t timestamp, bool including) {
  QueueOffset low = store.min_offset(topic, queue_id);
  QueueOffset high = std::max(low, store.visible_end(topic, queue_id));
  while (low < high) {
    const QueueOffset middle = low + (high - low) / 2;
    const auto time = store_time(store, topic, queue_id, middle);
    // What retention took meanwhile was stored before everything that is left.
    const bool after = time && (*time > timestamp || (including && *time == timestamp));
    if (after) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
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
  const storage::ReadResult first =
      read_one(*broker.store, request.topic, request.queue_id, QueueOffset{0});
  if (first.status == storage::ReadStatus::Found && !first.behind_memory) {
    return respond(protocol::QueryConsumerOffsetResponse{.offset = QueueOffset{0}});
  }
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
  broker.offsets.commit(caller.connection->peer().text(), request.consumer_group, request.topic,
                        request.queue_id, request.commit_offset);
  return respond();
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
