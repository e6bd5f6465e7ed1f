#include "protocol/registration_body.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <limits>
#include <ostream>

#include "protocol/command.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

RegisterBrokerBody example() {
  RegisterBrokerBody body;
  body.data_version = {0, 1700000000000, 1};
  body.mapping_data_version = {0, 1700000000001, 2};
  TopicConfig topic;
  topic.topic = "T";
  topic.read_queue_nums = 8;
  topic.write_queue_nums = 4;
  body.topics.push_back(topic);
  return body;
}

constexpr std::string_view kExample =
    R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,)"
    R"("stateVersion":0,"timestamp":1700000000000},"mappingDataVersion":{"counter":2,)"
    R"("stateVersion":0,"timestamp":1700000000001},"topicConfigTable":{"T":{"attributes":{},)"
    R"("order":false,"perm":6,"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"T",)"
    R"("topicSysFlag":0,"writeQueueNums":4}},"topicQueueMappingDetailMap":{},)"
    R"("topicQueueMappingInfoMap":{}}})";

RegisterBrokerBody full_example() {
  RegisterBrokerBody body = example();
  body.topics[0].attributes["message.type"] = "FIFO";
  body.topics[0].filter_type = TopicFilterType::MultiTag;
  body.topics.push_back({});
  body.topics[1].topic = "U";
  body.filter_servers = {"f:1"};
  TopicQueueMappingInfo mapping;
  mapping.topic = "T";
  mapping.bname = "b";
  mapping.total_queues = 1;
  mapping.curr_id_map = {{0, 3}};
  body.mappings.push_back(mapping);
  return body;
}

Bytes pack(ByteView plain) {
  uLongf size = compressBound(plain.size());
  Bytes packed(size);
  REQUIRE(compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                    reinterpret_cast<const Bytef*>(plain.data()), plain.size(), 9) == Z_OK);
  packed.resize(size);
  return packed;
}

Bytes unpack(ByteView packed) {
  Bytes plain(1 << 20);
  uLongf size = plain.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(plain.data()), &size,
                     reinterpret_cast<const Bytef*>(packed.data()), packed.size()) == Z_OK);
  plain.resize(size);
  return plain;
}

std::error_code decode_error(ByteView body, std::int32_t version = kVersion) {
  const auto result = decode_registration(body, version);
  return result ? std::error_code{} : result.error().code;
}

// A compressed registration whose parts the caller writes.
template <class Write>
Bytes packed_registration(Write write) {
  Bytes plain;
  BigEndianWriter writer(plain);
  write(writer);
  return pack(plain);
}

void block(BigEndianWriter& writer, std::string_view text) {
  writer.write(static_cast<std::int32_t>(text.size()));
  writer.write_text(text);
}

}  // namespace

TEST_CASE("registration: JSON bytes, both ways") {
  CHECK(encode_registration(example()) == kExample);
  CHECK(decode_registration(as_bytes(kExample), kVersion) == example());
  CHECK(decode_registration(as_bytes(encode_registration(full_example())), kVersion) ==
        full_example());
}

TEST_CASE("registration: the compressed form, both ways") {
  const Bytes packed = encode_registration_compressed(full_example());
  RegisterBrokerBody expected = full_example();
  expected.mapping_data_version = {};  // not part of this form
  CHECK(decode_registration(packed, kVersion) == expected);

  const Bytes plain = unpack(packed);
  BigEndianReader reader(plain);
  const auto text = [&] {
    return std::string(
        as_text(reader.read_bytes(static_cast<std::size_t>(reader.read<std::int32_t>()))));
  };
  CHECK(text() == R"({"counter":1,"stateVersion":0,"timestamp":1700000000000})");
  CHECK(reader.read<std::int32_t>() == 2);
  CHECK(text() == R"(T 8 4 6 MULTI_TAG {"message.type":"FIFO"})");
  CHECK(text() == "U 16 16 6 SINGLE_TAG {}");
  CHECK(text() == R"(["f:1"])");
  CHECK(reader.read<std::int32_t>() == 1);
  CHECK(
      text() ==
      R"({"bname":"b","currIdMap":{0:3},"dirty":false,"epoch":0,"scope":"__global__","topic":"T","totalQueues":1})");
  CHECK(reader.remaining() == 0);
  CHECK_FALSE(reader.failed());
}

TEST_CASE("registration: mappings are read from V5_0_0 on only") {
  const Bytes old = packed_registration([](BigEndianWriter& writer) {
    block(writer, "{}");
    writer.write<std::int32_t>(0);
    block(writer, "[]");
  });
  CHECK(decode_registration(old, kVersion5_0_0 - 1) == RegisterBrokerBody{});
  CHECK(decode_error(old, kVersion5_0_0) == ProtocolErrc::Truncated);
}

TEST_CASE("registration: the bare topic table of brokers before V3_0_11") {
  constexpr std::string_view kBare =
      R"({"dataVersion":{"counter":3,"timestamp":5},"topicConfigTable":{"T":{"perm":4,"readQueueNums":1,)"
      R"("topicName":"T","writeQueueNums":1}}})";
  const auto body = decode_registration(as_bytes(kBare), kVersion3_0_11 - 1);
  REQUIRE(body);
  CHECK(body->data_version == DataVersion{0, 5, 3});
  REQUIRE(body->topics.size() == 1);
  CHECK(body->topics[0].perm == 4);
  CHECK_FALSE(body->filter_servers);
  // To a newer one the same text says nothing.
  CHECK(decode_registration(as_bytes(kBare), kVersion3_0_11) == RegisterBrokerBody{});
}

TEST_CASE("registration: nothing, null members and unnamed topics") {
  CHECK(decode_registration({}, kVersion) == RegisterBrokerBody{});
  CHECK(decode_registration(
            as_bytes(R"({"topicConfigSerializeWrapper":null,"filterServerList":null})"),
            kVersion) == RegisterBrokerBody{});
  const auto unnamed = decode_registration(
      as_bytes(R"({"topicConfigSerializeWrapper":{"topicConfigTable":{"K":{"perm":2},"L":null}}})"),
      kVersion);
  REQUIRE(unnamed);
  REQUIRE(unnamed->topics.size() == 1);
  CHECK(unnamed->topics[0].topic == "K");
  CHECK(unnamed->topics[0].perm == 2);
  CHECK(decode_error(as_bytes(R"({"topicConfigSerializeWrapper":{"topicConfigTable":{"":{}}}})")) ==
        ProtocolErrc::BodyMalformed);
}

TEST_CASE("registration: every truncation of either form is an error") {
  for (std::size_t size = 1; size < kExample.size(); ++size) {
    CAPTURE(size);
    CHECK(decode_error(as_bytes(kExample.substr(0, size))) == ProtocolErrc::BodyMalformed);
  }
  const Bytes packed = encode_registration_compressed(full_example());
  for (std::size_t size = 1; size < packed.size(); ++size) {
    CAPTURE(size);
    CHECK(decode_error(ByteView(packed).first(size)));
  }
  const Bytes plain = unpack(packed);
  for (std::size_t size = 0; size < plain.size(); ++size) {
    CAPTURE(size);
    CHECK(decode_error(pack(ByteView(plain).first(size))));
  }
}

TEST_CASE("registration: hostile compressed bodies") {
  SUBCASE("a bomb: 65 MiB of zeros in 64 KiB") {
    const Bytes bomb = pack(Bytes(kRegistrationBytesMax + 1));
    REQUIRE(bomb.size() < 100'000);
    CHECK(decode_error(bomb) == ProtocolErrc::FrameTooLarge);
  }
  SUBCASE("too many topics") {
    const Bytes many = packed_registration([](BigEndianWriter& writer) {
      block(writer, "{}");
      writer.write<std::int32_t>(kRegistrationTopicsMax + 1);
      for (std::size_t i = 0; i <= kRegistrationTopicsMax; ++i)
        block(writer, "T 1 1 6 SINGLE_TAG {}");
    });
    CHECK(decode_error(many) == ProtocolErrc::FrameTooLarge);
  }
  SUBCASE("negative and huge lengths") {
    for (const std::int32_t length : {-1, std::numeric_limits<std::int32_t>::min(), 1 << 30}) {
      CHECK(decode_error(packed_registration([&](BigEndianWriter& writer) {
              writer.write(length);
            })) == ProtocolErrc::Truncated);
    }
  }
  SUBCASE("a count that the bytes cannot hold") {
    CHECK(decode_error(packed_registration([](BigEndianWriter& writer) {
            block(writer, "{}");
            writer.write<std::int32_t>(std::numeric_limits<std::int32_t>::max());
          })) == ProtocolErrc::Truncated);
  }
  SUBCASE("bytes changed in the middle") {
    const Bytes good = encode_registration_compressed(full_example());
    for (std::size_t at = 2; at < good.size(); ++at) {
      Bytes bad = good;
      bad[at] ^= std::byte{0x55};
      CHECK(decode_error(bad));  // zlib's own checksum at the latest
    }
  }
}

TEST_CASE("registration: the checksum has no sign") {
  CHECK(registration_crc32(as_bytes("123456789")) == (0xcbf43926 & 0x7fffffff));
  CHECK(registration_crc32({}) == 0);
}

TEST_CASE("registration: ten thousand topics, both forms") {
  RegisterBrokerBody body;
  for (int i = 0; i < 10'000; ++i) {
    body.topics.push_back({});
    body.topics.back().topic = "topic-" + std::to_string(i);
  }
  CHECK(decode_registration(as_bytes(encode_registration(body)), kVersion) == body);
  CHECK(decode_registration(encode_registration_compressed(body), kVersion) == body);
}

}  // namespace rmq::protocol
