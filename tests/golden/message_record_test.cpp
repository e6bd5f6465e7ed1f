// Stored records: what RocketMQ encodes before its append lock and completes inside it.
#include "protocol/message_record.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "golden/golden.h"
#include "protocol/message_batch.h"
#include "protocol/properties.h"

namespace rmq::protocol {
namespace {

constexpr PhysicalOffset kAppendedAt{(std::int64_t{1} << 30) + 64};
constexpr std::int64_t kStoreTime = 1700000000456;

HostAddress host(bool v6, std::int32_t port) {
  if (v6) {
    constexpr std::string_view kIp("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x01\0\x02", 16);
    return {as_bytes(kIp), port};
  }
  return {as_bytes(std::string_view("\x0a\0\0\x01", 4)), port};
}

struct RecordCase {
  std::string name;
  std::string topic = "TopicTest";
  std::string_view body = "hello";
  std::string_view properties = golden::kProperties;
  bool born_v6 = false;
  bool store_v6 = false;
  std::int32_t transaction = 0;
};

std::vector<RecordCase> cases() {
  constexpr std::string_view kTransaction = "TRAN_MSG\x01true\x02PGROUP\x01p\x02";
  return {
      {.name = "record_v1_v4_v4"},
      {.name = "record_v1_v6_v4", .born_v6 = true},
      {.name = "record_v1_v4_v6", .store_v6 = true},
      {.name = "record_v1_v6_v6", .born_v6 = true, .store_v6 = true},
      {.name = "record_v2_long_topic", .topic = "%RETRY%" + std::string(121, 'g')},
      {.name = "record_v1_longest_topic", .topic = std::string(127, 't')},
      {.name = "record_empty_body", .body = ""},
      {.name = "record_no_properties", .properties = ""},
      {.name = "record_null_properties", .properties = ""},
      {.name = "record_crc_top_bit", .body = "1", .properties = ""},
      {.name = "record_transaction_4", .properties = kTransaction, .transaction = 0x4},
      {.name = "record_transaction_8", .properties = kTransaction, .transaction = 0x8},
      {.name = "record_transaction_12", .properties = kTransaction, .transaction = 0xC},
  };
}

MessageRecord record_of(const RecordCase& c) {
  MessageRecord record;
  record.topic = c.topic;
  record.queue_id = 3;
  record.flag = -5;
  record.queue_offset = QueueOffset{17};
  record.sys_flag = kSysFlagCompressed | 0x200 | c.transaction;
  record.born_timestamp_ms = 1700000000123;
  record.born_host = host(c.born_v6, 50000);
  record.store_timestamp_ms = kStoreTime;
  record.store_host = host(c.store_v6, 10911);
  record.reconsume_times = 2;
  record.prepared_transaction_offset = 4294967296;
  record.body = as_bytes(c.body);
  record.properties = c.properties;
  return record;
}

// Java numbers no record that consumers will not see.
QueueOffset appended_queue_offset(const RecordCase& c) {
  return QueueOffset{c.transaction == 0x4 || c.transaction == 0xC ? 0 : 17};
}

void check_equal(const MessageRecord& got, const RecordCase& c) {
  const MessageRecord expected = record_of(c);
  CHECK(got.topic == expected.topic);
  CHECK(got.queue_id == expected.queue_id);
  CHECK(got.flag == expected.flag);
  CHECK(got.sys_flag == (expected.sys_flag | (c.born_v6 ? kSysFlagBornHostV6 : 0) |
                         (c.store_v6 ? kSysFlagStoreHostV6 : 0)));
  CHECK(got.transaction_type() == c.transaction);
  CHECK(got.born_timestamp_ms == expected.born_timestamp_ms);
  CHECK(got.born_host == expected.born_host);
  CHECK(got.store_timestamp_ms == expected.store_timestamp_ms);
  CHECK(got.store_host == expected.store_host);
  CHECK(got.reconsume_times == expected.reconsume_times);
  CHECK(got.prepared_transaction_offset == expected.prepared_transaction_offset);
  CHECK(as_text(got.body) == c.body);
  CHECK(got.properties == c.properties);
  CHECK(got.body_crc == body_crc(as_bytes(c.body)));
}

}  // namespace

TEST_CASE("golden record: encoding gives RocketMQ's bytes") {
  for (const RecordCase& c : cases()) {
    CAPTURE(c.name);
    const Bytes expected = golden::read(c.name + ".bin");
    MessageRecord record = record_of(c);
    Bytes out;
    CHECK(encode_record(record, out) == expected.size());
    CHECK(out == expected);
    CHECK(record_bytes(record).value() == expected.size());

    // The same with the properties in two pieces, behind another record.
    record.properties = c.properties.substr(0, c.properties.size() / 2);
    record.more_properties = c.properties.substr(c.properties.size() / 2);
    encode_record(record, out);
    CHECK(Bytes(out.begin() + static_cast<std::ptrdiff_t>(expected.size()), out.end()) == expected);
  }
}

TEST_CASE("golden record: patching gives what RocketMQ appends to its log") {
  for (const RecordCase& c : cases()) {
    CAPTURE(c.name);
    MessageRecord record = record_of(c);
    record.queue_offset = {};
    record.store_timestamp_ms = 0;
    Bytes out;
    encode_record(record, out);
    patch_record(out, appended_queue_offset(c), kAppendedAt, kStoreTime);
    CHECK(out == golden::read(c.name + "_appended.bin"));
  }
}

TEST_CASE("golden record: decoding") {
  for (const RecordCase& c : cases()) {
    CAPTURE(c.name);
    const Bytes bytes = golden::read(c.name + ".bin");
    const auto record = decode_record(bytes, CheckBody::Yes);
    REQUIRE(record);
    check_equal(*record, c);
    CHECK(record->queue_offset == QueueOffset{17});
    CHECK(record->physical_offset == PhysicalOffset{0});
    CHECK(record->total_bytes == bytes.size());

    Bytes two = golden::read(c.name + "_appended.bin");
    const std::size_t size = two.size();
    two.resize(size + 1000, std::byte{0x5A});
    const auto scan = scan_record(two, kAppendedAt, CheckBody::Yes);
    REQUIRE(scan);
    CHECK(scan->kind == RecordScan::Kind::Record);
    CHECK(scan->size == size);
    check_equal(scan->record, c);
    CHECK(scan->record.queue_offset == appended_queue_offset(c));
    CHECK(scan_record(two, kAppendedAt + 1, CheckBody::Yes).error().code ==
          RecordErrc::OffsetMismatch);
  }
}

TEST_CASE("golden record: no prefix of a record is a record") {
  for (const RecordCase& c : cases()) {
    CAPTURE(c.name);
    golden::for_each_truncation(golden::read(c.name + "_appended.bin"), [](ByteView prefix) {
      const auto record = decode_record(prefix);
      REQUIRE_FALSE(record);
      CHECK(record.error().code == RecordErrc::Truncated);
      CHECK_FALSE(scan_record(prefix, kAppendedAt, CheckBody::Yes));
    });
  }
}

TEST_CASE("golden record: a length that does not add up is found") {
  for (const RecordCase& c : cases()) {
    CAPTURE(c.name);
    const Bytes good = golden::read(c.name + "_appended.bin");
    // The size in front lies: the record ends earlier than its parts.
    for (std::size_t size = kRecordBytesMin; size < good.size(); ++size) {
      Bytes bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
      store_big_endian(bytes.data(), static_cast<std::int32_t>(size));
      CHECK(decode_record(bytes).error().code == RecordErrc::LengthMismatch);
    }
    Bytes longer = good;
    longer.push_back(std::byte{0});
    store_big_endian(longer.data(), static_cast<std::int32_t>(longer.size()));
    CHECK(decode_record(longer).error().code == RecordErrc::LengthMismatch);
  }
}

TEST_CASE("golden record: with the CRC of the whole in its properties") {
  const Bytes bytes = golden::read("record_property_crc.bin");
  const auto scan = scan_record(bytes, kAppendedAt, CheckBody::Yes);
  REQUIRE(scan);
  CHECK(find_property(scan->record.properties, property::kTags) == "A");
  const auto digits = find_property(scan->record.properties, property::kCrc32);
  REQUIRE(digits);
  // Ten digits, the lowest first, over all that is before the property.
  std::int64_t crc = 0;
  for (auto digit = digits->rbegin(); digit != digits->rend(); ++digit) {
    crc = crc * 10 + (*digit - '0');
  }
  CHECK(digits->size() == 10);
  CHECK(crc == body_crc(ByteView(bytes).first(bytes.size() - 20)));
}

TEST_CASE("golden record: the blank at the end of a file") {
  const Bytes bytes = golden::read("record_blank.bin");
  const auto blank = encode_blank_record(100);
  CHECK(Bytes(blank.begin(), blank.end()) == bytes);

  Bytes rest = bytes;
  rest.resize(100, std::byte{0x77});
  const auto scan = scan_record(rest, PhysicalOffset{0}, CheckBody::Yes);
  REQUIRE(scan);
  CHECK(scan->kind == RecordScan::Kind::Blank);
  CHECK(scan->size == 100);
  CHECK(decode_record(rest).error().code == RecordErrc::MagicUnknown);
  golden::for_each_truncation(rest, [](ByteView prefix) {
    CHECK_FALSE(scan_record(prefix, PhysicalOffset{0}, CheckBody::Yes));
  });
}

TEST_CASE("golden batch: the body that clients send") {
  struct Entry {
    std::int32_t flag;
    std::string_view body;
    std::string_view properties;
  };
  const Entry entries[] = {
      {1, "first", "TAGS\x01TagA\x02"},
      {-2, "", ""},
      {0, "drei\xE2\x82\xAC", "TAGS\x01T\xC3\xA4g\xF0\x9F\x98\x80\x02"},
  };
  const Bytes body = golden::read("batch_body.bin");
  Bytes encoded;
  BatchReader reader(body);
  for (const Entry& expected : entries) {
    REQUIRE(
        append_batch_entry({expected.flag, as_bytes(expected.body), expected.properties}, encoded));
    const auto entry = reader.next();
    REQUIRE(entry);
    REQUIRE(entry->has_value());
    CHECK((*entry)->flag == expected.flag);
    CHECK(as_text((*entry)->body) == expected.body);
    CHECK((*entry)->properties == expected.properties);
  }
  CHECK(encoded == body);
  CHECK_FALSE(reader.next().value().has_value());
}

TEST_CASE("golden batch: every prefix ends in an error, or between two entries") {
  int whole = 0;
  golden::for_each_truncation(golden::read("batch_body.bin"), [&](ByteView prefix) {
    BatchReader reader(prefix);
    for (;;) {
      const auto entry = reader.next();
      if (!entry) return;
      if (!entry->has_value()) break;
    }
    ++whole;
  });
  CHECK(whole == 3);  // nothing, one entry, two entries
}

TEST_CASE("golden batch: expanding gives RocketMQ's records") {
  for (const bool v6 : {false, true}) {
    CAPTURE(v6);
    const std::string name = v6 ? "batch_records_v6" : "batch_records_v4";
    const Bytes body = golden::read("batch_body.bin");
    Bytes out;
    std::vector<std::size_t> sizes;
    BatchReader reader(body);
    for (;;) {
      const auto entry = reader.next();
      REQUIRE(entry);
      if (!entry->has_value()) break;
      MessageRecord record;
      record.topic = "TopicTest";
      record.queue_id = 3;
      record.flag = (*entry)->flag;
      record.born_timestamp_ms = 1700000000123;
      record.born_host = host(v6, 50000);
      record.store_timestamp_ms = kStoreTime;
      record.store_host = host(false, 10911);
      record.body = (*entry)->body;
      record.properties = (*entry)->properties;
      sizes.push_back(encode_record(record, out));
    }
    CHECK(out == golden::read(name + ".bin"));

    std::size_t at = 0;
    std::int64_t number = 17;
    for (const std::size_t size : sizes) {
      patch_record(MutableByteView(out).subspan(at, size), QueueOffset{number++},
                   kAppendedAt + static_cast<std::int64_t>(at), kStoreTime);
      at += size;
    }
    CHECK(out == golden::read(name + "_appended.bin"));
  }
}

}  // namespace rmq::protocol
