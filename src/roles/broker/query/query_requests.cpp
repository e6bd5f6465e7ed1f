#include "roles/broker/query/query_requests.h"

#include <algorithm>
#include <string>

#include "protocol/response_codes.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

using protocol::ResponseCode;

Result<Response> on_query_message(Broker& broker, const protocol::QueryMessageRequest& request) {
  const storage::StoreConfig& config = broker.config.store;
  const std::int32_t wanted = request.unique_key ? config.default_query_max_num : request.max_num;
  storage::QueryRequest query;
  query.topic = request.topic;
  query.key = request.key;
  query.count_max = static_cast<std::size_t>(std::clamp(wanted, 0, config.max_query_messages));
  query.begin_ms = request.begin_timestamp;
  query.end_ms = request.end_timestamp;
  RMQ_TRY(const storage::QueryResult found, broker.store->query(query));
  if (found.records.empty()) {
    Response none = respond(protocol::QueryMessageResponse{
        .index_last_update_timestamp = 0, .index_last_update_phyoffset = PhysicalOffset{0}});
    none.code = static_cast<std::int32_t>(ResponseCode::QueryNotFound);
    none.remark = "can not find message, maybe time range not correct";
    return none;
  }
  Response response = respond(
      protocol::QueryMessageResponse{.index_last_update_timestamp = found.index_timestamp_ms,
                                     .index_last_update_phyoffset = found.index_physical});
  for (const storage::RecordSpan& span : found.records) {
    response.body.insert(response.body.end(), span.bytes.begin(), span.bytes.end());
  }
  return response;
}

Result<Response> on_view_message_by_id(Broker& broker,
                                       const protocol::ViewMessageByIdRequest& request) {
  const Result<storage::RecordSpan> record = broker.store->record_at(request.offset);
  if (!record) {
    return fail(ResponseCode::SystemError,
                "can not find message by the offset, " + std::to_string(request.offset.value));
  }
  Response response;
  response.body.assign(record->bytes.begin(), record->bytes.end());
  return response;
}

}  // namespace rmq::roles::broker
