// MessageQuery: finds messages by key: candidates from the message index, then the records
// themselves, because an index has only hashes and whole seconds. (Java's broker answers with
// whatever has the hash; its client drops the others, which then are missing from the count.)
// Threads: any that may wait for the disk.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/read_result.h"

namespace rmq::storage {

class MessageIndex;
class MessageReader;

struct QueryRequest {
  std::string_view topic;
  std::string_view key;  // unique or not
  std::size_t count_max = 32;
  std::size_t bytes_max = 15 * 1024 * 1024;  // the first message counts in any case
  std::int64_t begin_ms = 0;                 // store times, both included
  std::int64_t end_ms = 0;
};

struct QueryResult {
  // Each message once, in log order; of more than fit, the newest.
  std::vector<RecordSpan> records;
  // How far the index goes: the last message with a key.
  std::int64_t index_timestamp_ms = 0;
  PhysicalOffset index_physical;
};

Result<QueryResult> query_messages(const MessageIndex& index, const MessageReader& reader,
                                   const QueryRequest& request);

}  // namespace rmq::storage
