#include "protocol/registration_body.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "protocol/body_json.h"
#include "protocol/message_record.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

// A zlib header: method 8 in the low nibble, and the first two bytes together divisible by 31. No
// JSON text begins so.
bool looks_like_zlib(ByteView body) {
  if (body.size() < 2) return false;
  const auto method = std::to_integer<unsigned>(body[0]);
  const auto flags = std::to_integer<unsigned>(body[1]);
  return (method & 0x0f) == Z_DEFLATED && (method * 256 + flags) % 31 == 0;
}

Bytes deflate_bytes(ByteView plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes packed(size);
  const int status = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                               reinterpret_cast<const Bytef*>(plain.data()),
                               static_cast<uLong>(plain.size()), Z_BEST_COMPRESSION);
  RMQ_ASSERT(status == Z_OK);  // only memory or a short buffer could fail
  packed.resize(size);
  return packed;
}

Result<Bytes> inflate_bytes(ByteView packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return fail(ProtocolErrc::BodyMalformed, "zlib");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  Bytes plain;
  for (;;) {
    const std::size_t have = plain.size();
    if (have == kRegistrationBytesMax) {
      return fail(ProtocolErrc::FrameTooLarge, "registration unpacks to too much");
    }
    plain.resize(std::min(kRegistrationBytesMax, std::max<std::size_t>(have * 2, 64 * 1024)));
    stream.next_out = reinterpret_cast<Bytef*>(plain.data() + have);
    stream.avail_out = static_cast<uInt>(plain.size() - have);
    const int status = inflate(&stream, Z_NO_FLUSH);
    plain.resize(plain.size() - stream.avail_out);
    if (status == Z_STREAM_END) return plain;
    if (status == Z_BUF_ERROR) return fail(ProtocolErrc::Truncated, "compressed registration");
    if (status != Z_OK) return fail(ProtocolErrc::BodyMalformed, "compressed registration");
  }
}

void write_block(BigEndianWriter& writer, std::string_view text) {
  writer.write(static_cast<std::int32_t>(text.size()));
  writer.write_text(text);
}

// A block of i32 length + text. Errors: Truncated; a negative length too.
Result<std::string_view> read_block(BigEndianReader& reader) {
  const auto length = reader.read<std::int32_t>();
  if (length < 0) return fail(ProtocolErrc::Truncated, "negative length in a registration");
  const ByteView bytes = reader.read_bytes(static_cast<std::size_t>(length));
  if (reader.failed()) return fail(ProtocolErrc::Truncated, "registration");
  return as_text(bytes);
}

std::vector<std::string> filter_servers_from(const json::Value& array) {
  std::vector<std::string> servers;
  for (const json::Value& item : array.items()) {
    if (auto text = item.as_text()) servers.push_back(*std::move(text));
  }
  return servers;
}

json::Value filter_servers_to_json(const RegisterBrokerBody& body) {
  json::Value array = json::Value::array();
  if (body.filter_servers) {
    for (const std::string& server : *body.filter_servers) array.push_back(server);
  }
  return array;
}

Result<RegisterBrokerBody> decode_compressed(ByteView packed, std::int32_t version) {
  RMQ_TRY(const Bytes plain, inflate_bytes(packed));
  BigEndianReader reader(plain);
  RegisterBrokerBody body;
  RMQ_TRY(const std::string_view version_json, read_block(reader));
  RMQ_TRY(body.data_version, decode_data_version(version_json));

  const auto topics = reader.read<std::int32_t>();
  for (std::int32_t i = 0; i < topics; ++i) {
    if (body.topics.size() == kRegistrationTopicsMax) {
      return fail(ProtocolErrc::FrameTooLarge, "registration with too many topics");
    }
    RMQ_TRY(const std::string_view line, read_block(reader));
    RMQ_TRY(TopicConfig topic, parse_topic_line(line));
    body.topics.push_back(std::move(topic));
  }
  RMQ_TRY(const std::string_view filters_json, read_block(reader));
  if (const auto filters = json::parse(filters_json); filters && filters->is_array()) {
    body.filter_servers = filter_servers_from(*filters);
  }
  if (version < kVersion5_0_0) return body;

  const auto mappings = reader.read<std::int32_t>();
  for (std::int32_t i = 0; i < mappings; ++i) {
    RMQ_TRY(const std::string_view text, read_block(reader));
    RMQ_TRY(const json::Value mapping, parse_body(text));
    body.mappings.push_back(topic_queue_mapping_info_from(mapping));
  }
  if (reader.failed()) return fail(ProtocolErrc::Truncated, "registration");
  return body;
}

// `wrapper` is Java's TopicConfigSerializeWrapper, with or without the mapping part.
Result<> read_wrapper(const json::Value& wrapper, RegisterBrokerBody& body) {
  body.data_version = data_version_from(object_member(wrapper, "dataVersion"));
  body.mapping_data_version = data_version_from(object_member(wrapper, "mappingDataVersion"));
  if (const json::Value* table = object_member(wrapper, "topicConfigTable")) {
    body.topics.reserve(table->members().size());
    for (const auto& member : table->members()) {
      if (!member.value.is_object()) continue;
      if (body.topics.size() == kRegistrationTopicsMax) {
        return fail(ProtocolErrc::FrameTooLarge, "registration with too many topics");
      }
      TopicConfig topic = topic_config_from(member.value);
      if (topic.topic.empty()) topic.topic = member.key_text();
      if (topic.topic.empty()) return fail(ProtocolErrc::BodyMalformed, "topic without a name");
      body.topics.push_back(std::move(topic));
    }
  }
  if (const json::Value* mappings = object_member(wrapper, "topicQueueMappingInfoMap")) {
    for (const auto& member : mappings->members()) {
      if (!member.value.is_object()) continue;
      TopicQueueMappingInfo info = topic_queue_mapping_info_from(member.value);
      if (info.topic.empty()) info.topic = member.key_text();
      body.mappings.push_back(std::move(info));
    }
  }
  return {};
}

json::Value wrapper_to_json(const RegisterBrokerBody& body) {
  json::Value topics = json::Value::object();
  for (const TopicConfig& topic : body.topics) topics.set(topic.topic, to_json(topic));
  json::Value mappings = json::Value::object();
  for (const TopicQueueMappingInfo& info : body.mappings) mappings.set(info.topic, to_json(info));

  json::Value wrapper = json::Value::object();
  wrapper.set("dataVersion", to_json(body.data_version));
  wrapper.set("mappingDataVersion", to_json(body.mapping_data_version));
  wrapper.set("topicConfigTable", std::move(topics));
  wrapper.set("topicQueueMappingDetailMap", json::Value::object());
  wrapper.set("topicQueueMappingInfoMap", std::move(mappings));
  return wrapper;
}

}  // namespace

std::string encode_topic_configs(const RegisterBrokerBody& body) {
  return json::write(wrapper_to_json(body));
}

std::string encode_registration(const RegisterBrokerBody& body) {
  json::Value value = json::Value::object();
  if (body.filter_servers) value.set("filterServerList", filter_servers_to_json(body));
  value.set("topicConfigSerializeWrapper", wrapper_to_json(body));
  return json::write(value, json::Style{});
}

Bytes encode_registration_compressed(const RegisterBrokerBody& body) {
  Bytes plain;
  BigEndianWriter writer(plain);
  write_block(writer, encode_data_version(body.data_version));
  writer.write(static_cast<std::int32_t>(body.topics.size()));
  std::string line;
  for (const TopicConfig& topic : body.topics) {
    line.clear();
    append_topic_line(topic, line);
    write_block(writer, line);
  }
  write_block(writer, json::write(filter_servers_to_json(body), json::Style{}));
  writer.write(static_cast<std::int32_t>(body.mappings.size()));
  for (const TopicQueueMappingInfo& info : body.mappings) {
    write_block(writer, json::write(to_json(info), json::Style{}));
  }
  return deflate_bytes(plain);
}

Result<RegisterBrokerBody> decode_registration(ByteView body, std::int32_t version) {
  if (body.empty()) return RegisterBrokerBody{};
  if (looks_like_zlib(body)) return decode_compressed(body, version);

  RMQ_TRY(const json::Value value, parse_body(as_text(body)));
  RegisterBrokerBody result;
  if (version < kVersion3_0_11) {
    result.filter_servers.reset();
    RMQ_CHECK(read_wrapper(value, result));
    return result;
  }
  if (const json::Value* wrapper = object_member(value, "topicConfigSerializeWrapper")) {
    RMQ_CHECK(read_wrapper(*wrapper, result));
  }
  if (const json::Value* filters = array_member(value, "filterServerList")) {
    result.filter_servers = filter_servers_from(*filters);
  }
  return result;
}

std::int32_t registration_crc32(ByteView body) { return body_crc(body); }

}  // namespace rmq::protocol
