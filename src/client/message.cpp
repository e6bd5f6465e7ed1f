#include "client/message.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "client/body_codec.h"
#include "client/client_errc.h"
#include "protocol/message_id.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"

namespace rmq::client {
namespace {

constexpr std::size_t kTopicBytesMax = 127;
// A body of at most 4 MiB is what brokers take by default; this bounds what a hostile one can
// unpack to.
constexpr std::size_t kUnpackedBytesMax = std::size_t{64} * 1024 * 1024;

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '%' || c == '|';
}

Result<> check_topic(const std::string& topic) {
  if (topic.empty()) return fail(ClientErrc::MessageInvalid, "it has no topic");
  if (topic.size() > kTopicBytesMax) {
    return fail(ClientErrc::MessageInvalid, "its topic is longer than 127 bytes");
  }
  if (!std::all_of(topic.begin(), topic.end(), is_topic_character)) {
    return fail(ClientErrc::MessageInvalid,
                "topic '" + topic + "' has characters other than a-z A-Z 0-9 _ - % |");
  }
  return {};
}

// The property that delays `message`, if any: its name and value.
Result<std::pair<std::string_view, std::int64_t>> delay_property(const Message& message) {
  const int kinds =
      (message.delay_level > 0) + (message.delay_ms > 0) + (message.deliver_at_ms > 0);
  if (kinds > 1) return fail(ClientErrc::MessageInvalid, "it has more than one kind of delay");
  using Property = std::pair<std::string_view, std::int64_t>;
  if (message.delay_level > 0) {
    return Property(protocol::property::kDelayTimeLevel, message.delay_level);
  }
  if (message.delay_ms > 0) return Property(protocol::property::kTimerDelayMs, message.delay_ms);
  if (message.deliver_at_ms > 0) {
    return Property(protocol::property::kTimerDeliverMs, message.deliver_at_ms);
  }
  return Property("", 0);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string host_text(const protocol::HostAddress& host) {
  std::string text;
  std::array<char, 8> part{};
  const ByteView ip = host.ip();
  if (host.is_v6()) {
    for (std::size_t i = 0; i < ip.size(); i += 2) {
      std::snprintf(part.data(), part.size(), "%x",
                    static_cast<unsigned>(load_big_endian<std::uint16_t>(ip.data() + i)));
      text += (i == 0 ? "[" : ":") + std::string(part.data());
    }
    text += "]";
  } else {
    for (std::size_t i = 0; i < ip.size(); ++i) {
      text += (i == 0 ? "" : ".") + std::to_string(std::to_integer<unsigned>(ip[i]));
    }
  }
  return text + ":" + std::to_string(host.port());
}

ReceivedMessage received(const protocol::MessageRecord& record, const std::string& broker_name) {
  ReceivedMessage message;
  message.queue = {std::string(record.topic), broker_name, record.queue_id};
  message.offset = record.queue_offset;
  message.physical_offset = record.physical_offset;
  message.sys_flag = record.sys_flag;
  message.flag = record.flag;
  message.born_timestamp_ms = record.born_timestamp_ms;
  message.store_timestamp_ms = record.store_timestamp_ms;
  message.reconsume_times = record.reconsume_times;
  message.born_host = host_text(record.born_host);
  message.store_host = host_text(record.store_host);
  message.offset_message_id =
      protocol::encode_message_id({record.store_host, record.physical_offset}).view();
  message.message_id = message.offset_message_id;

  protocol::PropertyReader reader(record.properties);
  while (const auto property = reader.next()) {
    message.properties.emplace_back(property->name, property->value);
    if (property->name == protocol::property::kUniqKey) message.message_id = property->value;
    if (property->name == protocol::property::kTags) message.tag = property->value;
    if (property->name == protocol::property::kKeys) message.keys = split(property->value);
  }

  Result<Bytes> body = decompress_body(record.body, record.sys_flag, kUnpackedBytesMax);
  if (body) {
    message.body = std::move(*body);
  } else {
    message.body.assign(record.body.begin(), record.body.end());
    message.body_error = std::move(body.error());
  }
  return message;
}

}  // namespace

Result<std::string> encode_message_properties(const Message& message, std::string_view uniq_key) {
  RMQ_CHECK(check_topic(message.topic));
  if (message.body.empty()) return fail(ClientErrc::MessageInvalid, "it has no body");

  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) -> Result<> {
    if (name.empty() || value.empty() || !protocol::is_valid_property(name, value)) {
      return fail(ClientErrc::MessageInvalid,
                  "property '" + std::string(name) +
                      "' needs a name and a value, both without the bytes 0x01 and 0x02");
    }
    protocol::append_property(text, name, value);
    return {};
  };
  for (const auto& [name, value] : message.properties) RMQ_CHECK(add(name, value));
  if (!message.tag.empty()) RMQ_CHECK(add(protocol::property::kTags, message.tag));
  if (!message.keys.empty()) RMQ_CHECK(add(protocol::property::kKeys, join(message.keys)));
  RMQ_TRY(const auto delay, delay_property(message));
  if (delay.second > 0) RMQ_CHECK(add(delay.first, std::to_string(delay.second)));
  if (!uniq_key.empty()) RMQ_CHECK(add(protocol::property::kUniqKey, uniq_key));
  RMQ_CHECK(add(protocol::property::kWaitStoreMsgOk, message.wait_store_ok ? "true" : "false"));
  if (text.size() > protocol::kPropertiesBytesMax) {
    return fail(ClientErrc::MessageInvalid, "its properties are longer than 32767 bytes");
  }
  return text;
}

Result<std::vector<ReceivedMessage>> decode_messages(ByteView records,
                                                     const std::string& broker_name) {
  std::vector<ReceivedMessage> messages;
  while (!records.empty()) {
    Result<protocol::MessageRecord> record = protocol::decode_record(records);
    if (!record) return fail(ClientErrc::AnswerMalformed, record.error().message());
    messages.push_back(received(*record, broker_name));
    records = records.subspan(record->total_bytes);
  }
  return messages;
}

}  // namespace rmq::client
