// RegisterBrokerBody: what a broker tells a name server with REGISTER_BROKER: its topics and their
// data version. Formats (RocketMQ RegisterBrokerBody.java): JSON, or a zlib stream of
//   i32 length + DataVersion JSON | i32 topic count | each: i32 length + topic line
//   (topic_config.h) | i32 length + JSON array of filter servers | i32 mapping count | each: i32
//   length + TopicQueueMappingInfo JSON
// where the mapping part exists since V5_0_0. Brokers before V3_0_11 send the bare topic table as
// JSON. Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/data_version.h"
#include "protocol/route_body.h"
#include "protocol/topic_config.h"

namespace rmq::protocol {

// Ordinals of MQVersion.java at which the body changed.
inline constexpr std::int32_t kVersion3_0_11 = 37;
inline constexpr std::int32_t kVersion5_0_0 = 413;

// Limits against a small frame that unpacks to a large body. 100,000 topics take about 10 MB.
inline constexpr std::size_t kRegistrationBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kRegistrationTopicsMax = 500'000;

struct RegisterBrokerBody {
  DataVersion data_version;
  DataVersion mapping_data_version;
  std::vector<TopicConfig> topics;  // each has a name
  std::vector<TopicQueueMappingInfo> mappings;
  // Nothing: the broker is too old to have an opinion, what is known stays.
  std::optional<std::vector<std::string>> filter_servers = std::vector<std::string>{};
  friend bool operator==(const RegisterBrokerBody&, const RegisterBrokerBody&) = default;
};

std::string encode_registration(const RegisterBrokerBody& body);
// The answer of GET_ALL_TOPIC_CONFIG: the same without the filter servers.
std::string encode_topic_configs(const RegisterBrokerBody& body);
// For name servers at least V5_0_0; Java's name server must be told with the header field
// `compressed`.
Bytes encode_registration_compressed(const RegisterBrokerBody& body);

// `version` is the request header's. An empty `body` is a registration without topics and data
// version 0. Whether it is compressed shows in its first bytes: Java brokers with
// compressedRegister say it wrong in the header. Errors: ProtocolErrc::BodyMalformed, Truncated
// (stream ends early), FrameTooLarge (beyond the limits above).
Result<RegisterBrokerBody> decode_registration(ByteView body, std::int32_t version);

// The checksum of REGISTER_BROKER's bodyCrc32: CRC-32 without the sign bit.
std::int32_t registration_crc32(ByteView body);

}  // namespace rmq::protocol
