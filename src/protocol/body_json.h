// Helpers shared by the JSON bodies: fastjson's habits, so that what a Java peer sends or takes
// decodes here as there.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace rmq::protocol {

// The body as a JSON object. Errors: ProtocolErrc::BodyMalformed when it is none.
Result<json::Value> parse_body(std::string_view body);

// Member `key` as an int32; `fallback` when it is missing, no number or out of range.
std::int32_t int32_or(const json::Value& object, std::string_view key, std::int32_t fallback);

// Member `key` when it is an object (an array), else null.
const json::Value* object_member(const json::Value& object, std::string_view key);
const json::Value* array_member(const json::Value& object, std::string_view key);

}  // namespace rmq::protocol
