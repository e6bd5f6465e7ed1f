#include "protocol/data_version.h"

#include "protocol/body_json.h"

namespace rmq::protocol {

void DataVersion::next(std::int64_t now_ms, std::int64_t reign) {
  timestamp = now_ms;
  state_version = reign;
  ++counter;
}

std::strong_ordering compare_age(const DataVersion& a, const DataVersion& b) {
  if (const auto order = a.state_version <=> b.state_version; order != 0) return order;
  if (const auto order = a.counter <=> b.counter; order != 0) return order;
  return a.timestamp <=> b.timestamp;
}

json::Value to_json(const DataVersion& version) {
  json::Value value = json::Value::object();
  value.set("counter", version.counter);
  value.set("stateVersion", version.state_version);
  value.set("timestamp", version.timestamp);
  return value;
}

DataVersion data_version_from(const json::Value* value) {
  DataVersion version;
  if (value == nullptr) return version;
  version.counter = value->int_or("counter", 0);
  version.state_version = value->int_or("stateVersion", 0);
  version.timestamp = value->int_or("timestamp", 0);
  return version;
}

std::string encode_data_version(const DataVersion& version) {
  return json::write(to_json(version), json::Style{});
}

Result<DataVersion> decode_data_version(std::string_view body) {
  RMQ_TRY(const json::Value value, parse_body(body));
  return data_version_from(&value);
}

}  // namespace rmq::protocol
