// Topic attributes: the changes "+key=value,-key" of UPDATE_AND_CREATE_TOPIC, and which keys and
// values exist. Source: AttributeParser.java, AttributeUtil.java, TopicAttributes.java. Threads:
// any; pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rmq::roles::broker {

using Attributes = std::map<std::string, std::string>;

// "+a=1,-b" -> {"+a":"1","-b":""}. Errors: ResponseCode::SystemError with Java's remark.
Result<Attributes> parse_attribute_changes(std::string_view text);

// `current` with the changes applied. While creating only additions are allowed; some keys cannot
// change afterwards, and batch queues are refused. Errors: ResponseCode::SystemError with Java's
// remark.
Result<Attributes> apply_topic_attribute_changes(bool creating, const Attributes& current,
                                                 const Attributes& changes);
// Whether the topic's queues have a format that rmq cannot write or read (queue.type=BatchCQ).
bool has_batch_queues(const Attributes& attributes);
// The same for groups, which have no attributes yet: every key is refused.
Result<Attributes> apply_group_attribute_changes(bool creating, const Attributes& current,
                                                 const Attributes& changes);

}  // namespace rmq::roles::broker
