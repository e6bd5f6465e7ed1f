// Requests about offsets: what a group has consumed, where a queue begins and ends, and where it
// was at a time.
#pragma once

#include "net/service.h"
#include "protocol/offset.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// QUERY_CONSUMER_OFFSET (Lane::Query). A group that never committed starts at 0 in a queue so young
// that its first message is still in memory. Code: QUERY_NOT_FOUND (22) otherwise: the client goes
// by its own rule.
Result<Response> on_query_consumer_offset(Broker& broker,
                                          const protocol::QueryConsumerOffsetRequest& request);
// UPDATE_CONSUMER_OFFSET (Lane::Query). Codes: SUBSCRIPTION_GROUP_NOT_EXIST (26), TOPIC_NOT_EXIST
// (17).
Result<Response> on_update_consumer_offset(Broker& broker, const Caller& caller,
                                           const protocol::UpdateConsumerOffsetRequest& request);
// GET_MAX_OFFSET (Lane::Query): one past the last visible message; 0 for a queue never written, as
// in Java.
Result<Response> on_get_max_offset(Broker& broker, const protocol::GetMaxOffsetRequest& request);
// GET_MIN_OFFSET (Lane::Query): the first message still on disk; 0 for a queue never written.
Result<Response> on_get_min_offset(Broker& broker, const protocol::GetMinOffsetRequest& request);
// SEARCH_OFFSET_BY_TIMESTAMP (Lane::Disk): the first message stored at
// the time or later, or (upper boundary) the last one stored by then; within what the queue has.
Result<Response> on_search_offset_by_timestamp(
    Broker& broker, const protocol::SearchOffsetByTimestampRequest& request);
// GET_EARLIEST_MSG_STORETIME (Lane::Disk): of the first message still on disk, -1 without one.
Result<Response> on_get_earliest_msg_storetime(
    Broker& broker, const protocol::GetEarliestMsgStoretimeRequest& request);

}  // namespace rmq::roles::broker
