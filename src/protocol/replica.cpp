#include "protocol/replica.h"

#include <utility>

#include "base/json.h"

namespace rmq::protocol {

std::string encode_epoch_cache(const EpochCache& cache) {
  json::Value entries = json::Value::array();
  for (const EpochCache::Entry& entry : cache.entries) {
    json::Value value = json::Value::object();
    value.set("endOffset", entry.end_offset);
    value.set("epoch", std::int64_t{entry.epoch});
    value.set("startOffset", entry.start_offset);
    entries.push_back(std::move(value));
  }
  json::Value value = json::Value::object();
  value.set("brokerId", cache.broker_id);
  value.set("brokerName", cache.broker_name);
  value.set("clusterName", cache.cluster_name);
  value.set("epochList", std::move(entries));
  value.set("maxOffset", cache.max_offset);
  return json::write(value);
}

}  // namespace rmq::protocol
