// Which keys a record is indexed by (IndexService.buildIndex): its UNIQ_KEY and each of its KEYS,
// which blanks separate; none when it rolls a transaction back. In the index stands the hash of
// topic "#" key.
// Threads: free functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/message_record.h"
#include "storage/index_file.h"

namespace rmq::storage {

// IndexFile.indexKeyHashMethod: the absolute value of Java's hash; 0 for the one that has none.
std::int32_t index_hash(std::string_view topic, std::string_view key);

// Appends the keys of `record`, in Java's order.
void append_index_keys(const protocol::MessageRecord& record, std::vector<IndexKey>& keys);

// Whether `record` is of `topic` and has `key`, and not just another one with its hash.
bool is_indexed_by(const protocol::MessageRecord& record, std::string_view topic,
                   std::string_view key);

}  // namespace rmq::storage
