// Names: which topic and group names are allowed, and which mean something to a broker.
// Source: TopicValidator.java, MixAll.java, NamespaceUtil is not applied here.
// Threads: any; pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rmq::roles::broker {

inline constexpr std::string_view kRetryTopicPrefix = "%RETRY%";
inline constexpr std::string_view kDeadLetterTopicPrefix = "%DLQ%";
inline constexpr std::string_view kSystemTopicPrefix = "rmq_sys_";
// The model of topics created by a send.
inline constexpr std::string_view kDefaultTopic = "TBW102";
inline constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";
inline constexpr std::string_view kTransactionHalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
inline constexpr std::string_view kTransactionOpTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
inline constexpr std::string_view kTransactionCheckMaxTimeTopic = "TRANS_CHECK_MAX_TIME_TOPIC";
inline constexpr std::string_view kSelfTestTopic = "SELF_TEST_TOPIC";
inline constexpr std::string_view kOffsetMovedEventTopic = "OFFSET_MOVED_EVENT";
inline constexpr std::string_view kBenchmarkTopic = "BenchmarkTest";
inline constexpr std::string_view kTimerTopic = "rmq_sys_wheel_timer";
inline constexpr std::string_view kSystemGroupPrefix = "CID_RMQ_SYS_";

std::string retry_topic(std::string_view group);
std::string dead_letter_topic(std::string_view group);

// Letters, digits and "%|_-"; at most 127 bytes, 255 for retry and dead letter topics.
// Errors: ResponseCode::InvalidParameter with Java's remark.
Result<> check_topic_name(std::string_view topic);
// The same characters, at most 255 bytes, as clients and brokers of 5.3.3 allow.
Result<> check_group_name(std::string_view group);

// A topic of every broker that administrators may not change or delete. A broker adds its own:
// TopicTable::is_system.
bool is_well_known_system_topic(std::string_view topic);
// Topics that only the broker itself writes to; a client's send gets NO_PERMISSION.
bool is_send_forbidden(std::string_view topic);

}  // namespace rmq::roles::broker
