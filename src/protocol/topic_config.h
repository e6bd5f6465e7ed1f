// TopicConfig: what a broker knows and registers about one topic.
// Formats (RocketMQ TopicConfig.java): JSON in registrations, topics.json and admin requests; one
// line of text, `topic readQueues writeQueues perm FILTERTYPE {attributes}`, in compressed
// registrations. The line has neither `order` nor `topicSysFlag`: Java loses them there too.
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace rmq::protocol {

// Bits of a topic's or broker's permission.
inline constexpr std::int32_t kPermInherit =
    1;  // TBW102: new topics may take this one as their model
inline constexpr std::int32_t kPermWrite = 2;
inline constexpr std::int32_t kPermRead = 4;
inline constexpr std::int32_t kPermPriority = 8;
constexpr bool is_writable(std::int32_t perm) { return (perm & kPermWrite) != 0; }
constexpr bool is_readable(std::int32_t perm) { return (perm & kPermRead) != 0; }

// Bits of topicSysFlag.
inline constexpr std::int32_t kTopicUnit = 1;
inline constexpr std::int32_t kTopicUnitSubscribed = 2;

enum class TopicFilterType : std::uint8_t { SingleTag, MultiTag };
std::string_view to_text(TopicFilterType type);  // "SINGLE_TAG"
// Errors: ProtocolErrc::BodyMalformed.
Result<TopicFilterType> parse_topic_filter_type(std::string_view text);

struct TopicConfig {
  std::string topic;
  std::int32_t read_queue_nums = 16;
  std::int32_t write_queue_nums = 16;
  std::int32_t perm = kPermRead | kPermWrite;
  TopicFilterType filter_type = TopicFilterType::SingleTag;
  std::int32_t topic_sys_flag = 0;
  bool order = false;
  std::map<std::string, std::string> attributes;  // without the leading '+'

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

json::Value to_json(const TopicConfig& config);
// Lenient: missing members have the defaults above; the topic may come out empty.
TopicConfig topic_config_from(const json::Value& value);

// Appends the one-line form to `out`.
void append_topic_line(const TopicConfig& config, std::string& out);
// Errors: ProtocolErrc::BodyMalformed (too few words, bad number, bad filter type). Attributes that
// do not parse are dropped, as in Java; unlike Java, spaces in them are understood.
Result<TopicConfig> parse_topic_line(std::string_view line);

}  // namespace rmq::protocol
