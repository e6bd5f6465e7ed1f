// What the replicas of a broker set tell each other and tools, besides their log: where a master's
// log is to be had (EXCHANGE_BROKER_HA_INFO, 906), and in which reigns a log was written
// (GET_BROKER_EPOCH_CACHE, 1007). Formats: RocketMQ ExchangeHAInfoRequestHeader.java,
// EpochEntryCache.java (fastjson's JSON, members alphabetically). Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/header_fields.h"

namespace rmq::protocol {

// Without an HA address it is a question; the answer has all three.
struct ExchangeBrokerHaInfoRequest {
  std::string_view master_ha_address{};
  std::optional<std::int64_t> master_flush_offset{};
  std::string_view master_address{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("masterHaAddress", self.master_ha_address, kOptional);
    f("masterFlushOffset", self.master_flush_offset, kOptional);
    f("masterAddress", self.master_address, kOptional);
  }
};
using ExchangeBrokerHaInfoResponse = ExchangeBrokerHaInfoRequest;

struct GetBrokerEpochCacheRequest : NoFields {};

struct EpochCache {
  struct Entry {
    std::int32_t epoch = 0;
    std::int64_t start_offset = 0;
    std::int64_t end_offset = 0;  // of the last one: where the log ends
  };
  std::string cluster_name;
  std::string broker_name;
  std::int64_t broker_id = 0;
  std::vector<Entry> entries;
  std::int64_t max_offset = 0;
};

std::string encode_epoch_cache(const EpochCache& cache);

}  // namespace rmq::protocol
