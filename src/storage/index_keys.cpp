#include "storage/index_keys.h"

#include <algorithm>

#include "base/java_compat.h"
#include "protocol/properties.h"

namespace rmq::storage {
namespace {

constexpr char kKeySeparator = ' ';

struct Keys {
  std::string_view unique;
  std::string_view others;
};

// One pass over the properties; of equal names the last one counts.
Keys keys_of(const protocol::MessageRecord& record) {
  Keys keys;
  if (record.transaction_type() == protocol::kSysFlagTransactionRollback) return keys;
  protocol::PropertyReader reader(record.properties);
  while (const auto property = reader.next()) {
    if (property->name == protocol::property::kUniqKey) keys.unique = property->value;
    if (property->name == protocol::property::kKeys) keys.others = property->value;
  }
  return keys;
}

// Calls `found` with each of the keys in `text`, until it says true.
template <class Found>
bool any_key(std::string_view text, Found found) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kKeySeparator), text.size());
    if (end > 0 && found(text.substr(0, end))) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

std::int32_t positive(std::int32_t hash) {
  if (hash >= 0) return hash;
  return hash == INT32_MIN ? 0 : -hash;
}

}  // namespace

std::int32_t index_hash(std::string_view topic, std::string_view key) {
  return positive(java_hash(key, java_hash("#", java_hash(topic))));
}

void append_index_keys(const protocol::MessageRecord& record, std::vector<IndexKey>& keys) {
  const Keys found = keys_of(record);
  if (found.unique.empty() && found.others.empty()) return;
  const std::int32_t topic = java_hash("#", java_hash(record.topic));
  const auto append = [&](std::string_view key) {
    keys.push_back(
        {positive(java_hash(key, topic)), record.physical_offset, record.store_timestamp_ms});
    return false;
  };
  if (!found.unique.empty()) append(found.unique);
  any_key(found.others, append);
}

bool is_indexed_by(const protocol::MessageRecord& record, std::string_view topic,
                   std::string_view key) {
  if (record.topic != topic || key.empty()) return false;
  const Keys keys = keys_of(record);
  return keys.unique == key ||
         any_key(keys.others, [key](std::string_view other) { return other == key; });
}

}  // namespace rmq::storage
