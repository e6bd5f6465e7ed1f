// DataVersion: which state of its tables (topics, groups, offsets) a broker is talking about. Two
// versions are the same state only when all three numbers agree. Format: RocketMQ DataVersion.java,
// as JSON {"counter":1,"stateVersion":0,"timestamp":1700000000000}. Threads: a plain value.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace rmq::protocol {

struct DataVersion {
  std::int64_t state_version = 0;  // the reign (epoch) of the writer; 0 without a controller
  std::int64_t timestamp = 0;      // of the last change, Unix milliseconds
  std::int64_t counter = 0;        // changes so far

  friend bool operator==(const DataVersion&, const DataVersion&) = default;
  // One change at `now_ms` under `reign`.
  void next(std::int64_t now_ms, std::int64_t reign = 0);
};

// Older or newer, as Java compares: reign, then counter, then time.
std::strong_ordering compare_age(const DataVersion& a, const DataVersion& b);

json::Value to_json(const DataVersion& version);
// Lenient: what is missing, or `value` null, is 0.
DataVersion data_version_from(const json::Value* value);

std::string encode_data_version(const DataVersion& version);
// Errors: ProtocolErrc::BodyMalformed.
Result<DataVersion> decode_data_version(std::string_view body);

}  // namespace rmq::protocol
