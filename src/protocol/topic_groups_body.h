// Which groups have to do with a topic. Formats: fastjson's JSON, GroupList.java, the answer of
// QUERY_TOPIC_CONSUME_BY_WHO (300): {"groupList":["g"]}; ConsumerOffsetSerializeWrapper.java, that
// of GET_ALL_CONSUMER_OFFSET (43): {"offsetTable":{"topic@group":{0:5}}}. Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rmq::protocol {

// Sorted. Errors: ProtocolErrc::BodyMalformed.
Result<std::vector<std::string>> decode_group_list(std::string_view body);
// Those that have offsets of `topic`, sorted. Errors: likewise.
Result<std::vector<std::string>> decode_groups_with_offsets(std::string_view body,
                                                            std::string_view topic);

}  // namespace rmq::protocol
