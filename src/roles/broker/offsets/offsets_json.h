// The offsets of consumer groups as in consumerOffset.json (ConsumerOffsetManager.java):
// {"topic@group":{queueId:offset}}; queue ids are keys without quotes. Threads: pure.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "base/units.h"

namespace rmq::roles::broker {

using QueueOffsets = std::map<QueueId, QueueOffset>;
using GroupOffsets = std::map<std::string, QueueOffsets, std::less<>>;  // by "topic@group"

json::Value to_json(const GroupOffsets& offsets);
// The member "offsetTable" of `object`; empty when there is none. Entries that are not numbers are
// left out.
GroupOffsets offsets_from(const json::Value& object);

}  // namespace rmq::roles::broker
