#include "protocol/topic_config.h"

#include <array>
#include <charconv>
#include <utility>

#include "protocol/body_json.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

constexpr std::array<std::pair<TopicFilterType, std::string_view>, 2> kFilterTypes{{
    {TopicFilterType::SingleTag, "SINGLE_TAG"},
    {TopicFilterType::MultiTag, "MULTI_TAG"},
}};

json::Value attributes_to_json(const TopicConfig& config) {
  json::Value attributes = json::Value::object();
  for (const auto& [key, value] : config.attributes) attributes.set(key, value);
  return attributes;
}

void attributes_from(const json::Value& value, TopicConfig& config) {
  for (const auto& member : value.members()) {
    if (auto text = member.value.as_text()) config.attributes[member.key_text()] = *std::move(text);
  }
}

// Cuts the first word off `rest`; words are separated by one space.
std::string_view next_word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
  return word;
}

Result<std::int32_t> parse_number(std::string_view word) {
  std::int32_t number = 0;
  const auto [end, errc] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (errc != std::errc{} || end != word.data() + word.size()) {
    return fail(ProtocolErrc::BodyMalformed, "topic line: bad number " + std::string(word));
  }
  return number;
}

}  // namespace

std::string_view to_text(TopicFilterType type) {
  return kFilterTypes[static_cast<std::size_t>(type)].second;
}

Result<TopicFilterType> parse_topic_filter_type(std::string_view text) {
  for (const auto& [type, name] : kFilterTypes) {
    if (name == text) return type;
  }
  return fail(ProtocolErrc::BodyMalformed, "topic filter type " + std::string(text));
}

json::Value to_json(const TopicConfig& config) {
  json::Value value = json::Value::object();
  value.set("attributes", attributes_to_json(config));
  value.set("order", config.order);
  value.set("perm", config.perm);
  value.set("readQueueNums", config.read_queue_nums);
  value.set("topicFilterType", std::string(to_text(config.filter_type)));
  value.set("topicName", config.topic);
  value.set("topicSysFlag", config.topic_sys_flag);
  value.set("writeQueueNums", config.write_queue_nums);
  return value;
}

TopicConfig topic_config_from(const json::Value& value) {
  TopicConfig config;
  config.topic = value.text_or("topicName", "");
  config.read_queue_nums = int32_or(value, "readQueueNums", config.read_queue_nums);
  config.write_queue_nums = int32_or(value, "writeQueueNums", config.write_queue_nums);
  config.perm = int32_or(value, "perm", config.perm);
  const auto type = parse_topic_filter_type(value.text_or("topicFilterType", ""));
  config.filter_type = type.value_or(TopicFilterType::SingleTag);
  config.topic_sys_flag = int32_or(value, "topicSysFlag", config.topic_sys_flag);
  config.order = value.bool_or("order", false);
  if (const json::Value* attributes = object_member(value, "attributes")) {
    attributes_from(*attributes, config);
  }
  return config;
}

void append_topic_line(const TopicConfig& config, std::string& out) {
  out += config.topic;
  for (const std::int32_t number : {config.read_queue_nums, config.write_queue_nums, config.perm}) {
    out += ' ';
    out += std::to_string(number);
  }
  out += ' ';
  out += to_text(config.filter_type);
  out += ' ';
  out += json::write(attributes_to_json(config), json::Style{});
}

Result<TopicConfig> parse_topic_line(std::string_view line) {
  TopicConfig config;
  std::string_view rest = line;
  config.topic = next_word(rest);
  if (config.topic.empty()) return fail(ProtocolErrc::BodyMalformed, "topic line without a topic");
  RMQ_TRY(config.read_queue_nums, parse_number(next_word(rest)));
  RMQ_TRY(config.write_queue_nums, parse_number(next_word(rest)));
  RMQ_TRY(config.perm, parse_number(next_word(rest)));
  RMQ_TRY(config.filter_type, parse_topic_filter_type(next_word(rest)));
  if (const auto attributes = json::parse(rest); attributes && attributes->is_object()) {
    attributes_from(*attributes, config);
  }
  return config;
}

}  // namespace rmq::protocol
