#include "storage/message_query.h"

#include <algorithm>
#include <set>

#include "protocol/message_record.h"
#include "storage/index_keys.h"
#include "storage/message_index.h"
#include "storage/message_reader.h"

namespace rmq::storage {

Result<QueryResult> query_messages(const MessageIndex& index, const MessageReader& reader,
                                   const QueryRequest& request) {
  QueryResult result;
  if (request.count_max == 0) return result;
  std::size_t bytes = 0;
  std::set<PhysicalOffset> seen;
  IndexSearch search;
  search.hash = index_hash(request.topic, request.key);
  search.begin_ms = request.begin_ms;
  search.end_ms = request.end_ms;
  search.take = [&](PhysicalOffset at) {
    // What retention took, or a damaged index says, is no record.
    const Result<RecordSpan> span = reader.record_at(at);
    if (!span) return true;
    const auto record = protocol::decode_record(span->bytes);
    const bool wanted = record && is_indexed_by(*record, request.topic, request.key) &&
                        record->store_timestamp_ms >= request.begin_ms &&
                        record->store_timestamp_ms <= request.end_ms;
    if (!wanted || !seen.insert(at).second) return true;
    bytes += span->bytes.size();
    if (!result.records.empty() && bytes > request.bytes_max) return false;
    result.records.push_back(*span);
    return result.records.size() < request.count_max;
  };
  RMQ_CHECK(index.find(search));
  std::reverse(result.records.begin(), result.records.end());
  if (!result.records.empty()) {
    const MessageIndex::Last last = index.last();
    result.index_timestamp_ms = last.store_timestamp_ms;
    result.index_physical = last.physical;
  }
  return result;
}

}  // namespace rmq::storage
