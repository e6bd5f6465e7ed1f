#include "roles/broker/topics/topic_names.h"

#include <algorithm>
#include <array>

#include "protocol/response_codes.h"

namespace rmq::roles::broker {

using protocol::ResponseCode;

namespace {

constexpr std::size_t kTopicBytesMax = 127;
constexpr std::size_t kGroupBytesMax = 255;
constexpr std::size_t kRetryTopicBytesMax = 255;
constexpr std::string_view kAllowed =
    ", contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";

bool is_allowed(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '%' ||
         c == '|' || c == '_' || c == '-';
}

bool is_blank(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
}

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// `kind` is "topic" or "group".
Result<> check_characters(std::string_view kind, std::string_view name) {
  if (is_blank(name)) {
    return fail(ResponseCode::InvalidParameter, concat({"The specified ", kind, " is blank."}));
  }
  if (!std::all_of(name.begin(), name.end(), is_allowed)) {
    return fail(ResponseCode::InvalidParameter,
                concat({"The specified ", kind, ": ", name, kAllowed}));
  }
  return {};
}

}  // namespace

std::string retry_topic(std::string_view group) { return concat({kRetryTopicPrefix, group}); }
std::string dead_letter_topic(std::string_view group) {
  return concat({kDeadLetterTopicPrefix, group});
}

Result<> check_topic_name(std::string_view topic) {
  RMQ_CHECK(check_characters("topic", topic));
  const bool retry =
      topic.starts_with(kRetryTopicPrefix) || topic.starts_with(kDeadLetterTopicPrefix);
  if (retry && topic.size() > kRetryTopicBytesMax) {
    return fail(ResponseCode::InvalidParameter,
                concat({"The specified topic is DLQ or Retry topic: ", topic,
                        ", and it's longer than topic max length: 255"}));
  }
  if (!retry && topic.size() > kTopicBytesMax) {
    return fail(ResponseCode::InvalidParameter,
                concat({"The specified topic: ", topic, ", is longer than topic max length: 127"}));
  }
  return {};
}

Result<> check_group_name(std::string_view group) {
  RMQ_CHECK(check_characters("group", group));
  if (group.size() > kGroupBytesMax) {
    return fail(ResponseCode::InvalidParameter,
                concat({"The specified group: ", group, ", is longer than group max length: 255"}));
  }
  return {};
}

bool is_well_known_system_topic(std::string_view topic) {
  static constexpr std::array<std::string_view, 10> kTopics{kDefaultTopic,
                                                            kScheduleTopic,
                                                            kBenchmarkTopic,
                                                            kTransactionHalfTopic,
                                                            "RMQ_SYS_TRACE_TOPIC",
                                                            kTransactionOpTopic,
                                                            kTransactionCheckMaxTimeTopic,
                                                            kSelfTestTopic,
                                                            kOffsetMovedEventTopic,
                                                            "CHECKPOINT_TOPIC"};
  return topic.starts_with(kSystemTopicPrefix) ||
         std::find(kTopics.begin(), kTopics.end(), topic) != kTopics.end();
}

bool is_send_forbidden(std::string_view topic) {
  static constexpr std::array<std::string_view, 6> kTopics{
      kScheduleTopic, kTransactionHalfTopic, kTransactionOpTopic, kTransactionCheckMaxTimeTopic,
      kSelfTestTopic, kOffsetMovedEventTopic};
  return std::find(kTopics.begin(), kTopics.end(), topic) != kTopics.end();
}

}  // namespace rmq::roles::broker
