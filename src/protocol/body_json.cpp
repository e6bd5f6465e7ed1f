#include "protocol/body_json.h"

#include <limits>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {

Result<json::Value> parse_body(std::string_view body) {
  Result<json::Value> value = json::parse(body);
  if (!value) return fail(ProtocolErrc::BodyMalformed, value.error().message());
  if (!value->is_object()) return fail(ProtocolErrc::BodyMalformed, "not a JSON object");
  return value;
}

std::int32_t int32_or(const json::Value& object, std::string_view key, std::int32_t fallback) {
  const std::int64_t number = object.int_or(key, fallback);
  if (number < std::numeric_limits<std::int32_t>::min() ||
      number > std::numeric_limits<std::int32_t>::max()) {
    return fallback;
  }
  return static_cast<std::int32_t>(number);
}

const json::Value* object_member(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  return value != nullptr && value->is_object() ? value : nullptr;
}

const json::Value* array_member(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  return value != nullptr && value->is_array() ? value : nullptr;
}

}  // namespace rmq::protocol
