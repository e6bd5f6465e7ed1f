#include "protocol/message_record.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

namespace rmq::protocol {
namespace {

constexpr PhysicalOffset kAt{1000};

Bytes encoded(const MessageRecord& record) {
  Bytes out;
  encode_record(record, out);
  return out;
}

MessageRecord example() {
  MessageRecord record;
  record.topic = "T";
  record.queue_id = 2;
  record.physical_offset = kAt;
  record.body = as_bytes("body");
  record.properties = "TAGS\x01x\x02";
  return record;
}

std::error_code scan_error(ByteView bytes, CheckBody check = CheckBody::Yes) {
  const auto scan = scan_record(bytes, kAt, check);
  return scan ? std::error_code() : scan.error().code;
}

HostAddress v6_host() {
  Bytes ip(16, std::byte{0xAA});
  return {ip, 7};
}

}  // namespace

TEST_CASE("record: the version follows from the topic's bytes") {
  MessageRecord record = example();
  const auto version_of = [&](const std::string& topic) {
    record.topic = topic;
    const Bytes bytes = encoded(record);
    CHECK(bytes.size() == record_bytes(record).value());
    CHECK(decode_record(bytes).value().topic == topic);
    return load_big_endian<std::uint32_t>(bytes.data() + kRecordMagicAt);
  };
  CHECK(version_of("") == kMagicV1);
  CHECK(version_of(std::string(127, 't')) == kMagicV1);
  CHECK(version_of(std::string(128, 't')) == kMagicV2);
  CHECK(version_of(std::string(kTopicBytesMax, 't')) == kMagicV2);
  // 64 characters of two bytes: Java would write V1 and a length of -128.
  std::string umlauts;
  for (int i = 0; i < 64; ++i) umlauts += "\xC3\xA4";
  CHECK(version_of(umlauts) == kMagicV2);
}

TEST_CASE("record: the host bits of sysFlag are those of the hosts, whatever the caller says") {
  MessageRecord record = example();
  record.sys_flag = kSysFlagBornHostV6 | kSysFlagCompressed;
  record.store_host = v6_host();
  const MessageRecord got = decode_record(encoded(record)).value();
  CHECK(got.sys_flag == (kSysFlagStoreHostV6 | kSysFlagCompressed));
  CHECK(got.born_host == HostAddress());
  CHECK(got.store_host == v6_host());
}

TEST_CASE("record: sizes that do not fit are refused before encoding") {
  const std::string big(40000, 'x');
  const std::string_view text = big;
  MessageRecord record = example();
  record.properties = text.substr(0, kPropertiesBytesMax);
  CHECK(record_bytes(record).value() == 92 + 4 + kPropertiesBytesMax);
  record.more_properties = "x";
  CHECK(record_bytes(record).error().code == RecordErrc::TooLarge);
  record = example();
  record.topic = text.substr(0, kTopicBytesMax + 1);
  CHECK(record_bytes(record).error().code == RecordErrc::TooLarge);
  record = example();
  // Never read, only measured.
  record.body = ByteView(record.body.data(), kRecordBytesMax);
  CHECK(record_bytes(record).error().code == RecordErrc::TooLarge);
}

TEST_CASE("record: encoding many does not copy the earlier ones each time") {
  Bytes out;
  std::size_t growths = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::size_t capacity = out.capacity();
    encode_record(example(), out);
    growths += out.capacity() != capacity ? 1 : 0;
  }
  CHECK(growths < 20);
}

TEST_CASE("record: patching changes three fields and finds the store time behind either host") {
  for (const bool v6 : {false, true}) {
    CAPTURE(v6);
    MessageRecord record = example();
    if (v6) record.born_host = v6_host();
    const Bytes before = encoded(record);
    Bytes after = before;
    patch_record(after, QueueOffset{-2}, PhysicalOffset{0x0102030405060708}, 0x1112131415161718);
    const MessageRecord got = decode_record(after).value();
    CHECK(got.queue_offset == QueueOffset{-2});
    CHECK(got.physical_offset == PhysicalOffset{0x0102030405060708});
    CHECK(got.store_timestamp_ms == 0x1112131415161718);
    patch_record(after, QueueOffset{0}, kAt, 0);
    CHECK(after == before);
  }
}

TEST_CASE("record: what is wrong with it is said") {
  const Bytes good = encoded(example());
  CHECK_FALSE(scan_error(good));

  Bytes bytes = good;
  store_big_endian(bytes.data() + kRecordMagicAt, kMagicV1 + 1);
  CHECK(scan_error(bytes) == RecordErrc::MagicUnknown);

  for (const std::int32_t size : {0, 1, 90, -1, -2147483647}) {
    CAPTURE(size);
    bytes = good;
    store_big_endian(bytes.data(), size);
    CHECK(scan_error(bytes) == RecordErrc::SizeIllegal);
  }
  bytes = good;
  store_big_endian(bytes.data(), static_cast<std::int32_t>(good.size() + 1));
  CHECK(scan_error(bytes) == RecordErrc::Truncated);

  bytes = good;
  bytes[88] ^= std::byte{1};  // in the body
  CHECK(scan_error(bytes) == RecordErrc::ChecksumMismatch);
  CHECK_FALSE(scan_error(bytes, CheckBody::No));

  bytes = good;
  store_big_endian(bytes.data() + kRecordPhysicalOffsetAt, std::int64_t{999});
  CHECK(scan_error(bytes) == RecordErrc::OffsetMismatch);

  CHECK(scan_error(Bytes(100)) == RecordErrc::Unwritten);
  CHECK(scan_error({}) == RecordErrc::Truncated);
}

TEST_CASE("record: no inner length leads out of it") {
  MessageRecord record = example();
  const std::size_t body_length_at = 84;
  for (const bool v2 : {false, true}) {
    CAPTURE(v2);
    const std::string topic(v2 ? 128 : 1, 't');
    record.topic = topic;
    const Bytes good = encoded(record);
    const std::size_t topic_length_at = body_length_at + 4 + 4;
    const std::size_t properties_length_at = topic_length_at + (v2 ? 2 : 1) + topic.size();
    const auto broken = [&](auto value, std::size_t at) {
      Bytes bytes = good;
      store_big_endian(bytes.data() + at, value);
      CHECK(scan_error(bytes) == RecordErrc::LengthMismatch);
    };
    for (const std::int32_t length : {-1, 3, 5, 0x7FFFFFFF, -2147483647 - 1}) {
      broken(length, body_length_at);
    }
    for (const int length : {-1, 6, 8, 32767, -32767}) {
      broken(static_cast<std::int16_t>(length), properties_length_at);
    }
    if (v2) {
      for (const int length : {-1, 127, 32767}) {
        broken(static_cast<std::int16_t>(length), topic_length_at);
      }
    } else {
      for (const int length : {-1, 2, 127, -128}) {
        broken(static_cast<std::int8_t>(length), topic_length_at);
      }
    }
  }
}

TEST_CASE("record: another host width than the flag says does not add up") {
  for (const std::int32_t bit : {kSysFlagBornHostV6, kSysFlagStoreHostV6}) {
    Bytes bytes = encoded(example());
    store_big_endian(bytes.data() + kRecordSysFlagAt, bit);
    CHECK(scan_error(bytes, CheckBody::No) == RecordErrc::LengthMismatch);
  }
}

TEST_CASE("record: any CRC goes with an empty body, as in Java") {
  MessageRecord record = example();
  record.body = {};
  Bytes bytes = encoded(record);
  store_big_endian(bytes.data() + kRecordBodyCrcAt, 12345);
  CHECK_FALSE(scan_error(bytes));
}

TEST_CASE("record: blanks of a size that cannot be") {
  const auto blank_of = [](std::int32_t size, std::size_t bytes_there) {
    const auto blank = encode_blank_record(size);
    Bytes bytes(blank.begin(), blank.end());
    bytes.resize(bytes_there);
    return bytes;
  };
  CHECK_FALSE(scan_error(blank_of(8, 8)));
  CHECK_FALSE(scan_error(blank_of(20, 20)));
  CHECK(scan_error(blank_of(7, 20)) == RecordErrc::SizeIllegal);
  CHECK(scan_error(blank_of(-20, 20)) == RecordErrc::SizeIllegal);
  CHECK(scan_error(blank_of(21, 20)) == RecordErrc::Truncated);
}

}  // namespace rmq::protocol
