#include "protocol/message_record.h"

#include <libdeflate.h>

#include <algorithm>
#include <string>

namespace rmq::protocol {
namespace {

constexpr std::size_t kHeadBytesMax = 48 + kHostBytesMax + 8 + kHostBytesMax + 4 + 8 + 4;

template <class T>
std::byte* put(std::byte* to, T value) {
  store_big_endian(to, value);
  return to + sizeof(T);
}

std::int32_t sys_flag_with_hosts(const MessageRecord& record) {
  std::int32_t flag = record.sys_flag & ~(kSysFlagBornHostV6 | kSysFlagStoreHostV6);
  if (record.born_host.is_v6()) flag |= kSysFlagBornHostV6;
  if (record.store_host.is_v6()) flag |= kSysFlagStoreHostV6;
  return flag;
}

std::size_t unchecked_bytes(const MessageRecord& record) {
  const std::size_t topic_length_bytes = record.topic.size() > kTopicBytesMaxV1 ? 2 : 1;
  return kRecordBytesMin - 1 + topic_length_bytes +
         (record.born_host.encoded_bytes() - kHostBytesMin) +
         (record.store_host.encoded_bytes() - kHostBytesMin) + record.body.size() +
         record.topic.size() + record.properties.size() + record.more_properties.size();
}

// Everything up to and including the body length. Returns one past the last byte written.
std::byte* put_head(const MessageRecord& record, std::size_t size, std::byte* to) {
  to = put(to, static_cast<std::int32_t>(size));
  to = put(to, record.topic.size() > kTopicBytesMaxV1 ? kMagicV2 : kMagicV1);
  to = put(to, body_crc(record.body));
  to = put(to, record.queue_id);
  to = put(to, record.flag);
  to = put(to, record.queue_offset.value);
  to = put(to, record.physical_offset.value);
  to = put(to, sys_flag_with_hosts(record));
  to = put(to, record.born_timestamp_ms);
  to = record.born_host.write(to);
  to = put(to, record.store_timestamp_ms);
  to = record.store_host.write(to);
  to = put(to, record.reconsume_times);
  to = put(to, record.prepared_transaction_offset);
  return put(to, static_cast<std::int32_t>(record.body.size()));
}

template <class T>
void append_integer(Bytes& out, T value) {
  std::byte bytes[sizeof(T)];
  store_big_endian(bytes, value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

void append_text(Bytes& out, std::string_view text) {
  const ByteView bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

tl::unexpected<Error> fail_size(RecordErrc code, const char* what, std::int64_t size) {
  return fail(code, std::string(what) + " " + std::to_string(size));
}

HostAddress read_host(BigEndianReader& reader, bool v6) {
  const ByteView ip = reader.read_bytes(v6 ? 16 : 4);
  const auto port = reader.read<std::int32_t>();
  return reader.failed() ? HostAddress() : HostAddress(ip, port);
}

// A field with its length in front. A length that is negative or exceeds what is left fails the
// reader.
template <class Length>
ByteView read_sized(BigEndianReader& reader) {
  const auto length = reader.read<Length>();
  // A huge count fails the reader like any count beyond the end.
  return reader.read_bytes(length < 0 ? SIZE_MAX : static_cast<std::size_t>(length));
}

// `bytes` is exactly as long as the record says it is.
Result<MessageRecord> parse_record(ByteView bytes, bool v2) {
  MessageRecord record;
  BigEndianReader reader(bytes);
  record.total_bytes = reader.read<std::uint32_t>();
  reader.skip(4);
  record.body_crc = reader.read<std::int32_t>();
  record.queue_id = reader.read<std::int32_t>();
  record.flag = reader.read<std::int32_t>();
  record.queue_offset.value = reader.read<std::int64_t>();
  record.physical_offset.value = reader.read<std::int64_t>();
  record.sys_flag = reader.read<std::int32_t>();
  record.born_timestamp_ms = reader.read<std::int64_t>();
  record.born_host = read_host(reader, (record.sys_flag & kSysFlagBornHostV6) != 0);
  record.store_timestamp_ms = reader.read<std::int64_t>();
  record.store_host = read_host(reader, (record.sys_flag & kSysFlagStoreHostV6) != 0);
  record.reconsume_times = reader.read<std::int32_t>();
  record.prepared_transaction_offset = reader.read<std::int64_t>();
  record.body = read_sized<std::int32_t>(reader);
  record.topic = as_text(v2 ? read_sized<std::int16_t>(reader) : read_sized<std::int8_t>(reader));
  record.properties = as_text(read_sized<std::int16_t>(reader));
  if (reader.failed() || reader.remaining() != 0) {
    return fail_size(RecordErrc::LengthMismatch, "record of size",
                     static_cast<std::int64_t>(bytes.size()));
  }
  return record;
}

}  // namespace

std::int32_t body_crc(ByteView body) {
  // A null pointer would ask for the initial value, which is 0 as well.
  return static_cast<std::int32_t>(::libdeflate_crc32(0, body.data(), body.size()) & 0x7FFFFFFF);
}

Result<std::size_t> record_bytes(const MessageRecord& record) {
  if (record.topic.size() > kTopicBytesMax) {
    return fail_size(RecordErrc::TooLarge, "topic bytes",
                     static_cast<std::int64_t>(record.topic.size()));
  }
  const std::size_t properties = record.properties.size() + record.more_properties.size();
  if (properties > kPropertiesBytesMax) {
    return fail_size(RecordErrc::TooLarge, "properties bytes",
                     static_cast<std::int64_t>(properties));
  }
  const std::size_t size = unchecked_bytes(record);
  if (size > kRecordBytesMax) {
    return fail_size(RecordErrc::TooLarge, "record bytes", static_cast<std::int64_t>(size));
  }
  return size;
}

std::size_t encode_record(const MessageRecord& record, Bytes& out) {
  const std::size_t size = unchecked_bytes(record);
  const std::size_t properties = record.properties.size() + record.more_properties.size();
  RMQ_ASSERT(record.topic.size() <= kTopicBytesMax);
  RMQ_ASSERT(properties <= kPropertiesBytesMax);
  RMQ_ASSERT(size <= kRecordBytesMax);
  // Exact growth per record would copy all earlier ones each time.
  if (out.capacity() - out.size() < size) {
    out.reserve(std::max(out.size() + size, out.capacity() * 2));
  }
  std::array<std::byte, kHeadBytesMax> head;
  const std::byte* head_end = put_head(record, size, head.data());
  out.insert(out.end(), static_cast<const std::byte*>(head.data()), head_end);
  out.insert(out.end(), record.body.begin(), record.body.end());
  if (record.topic.size() > kTopicBytesMaxV1) {
    append_integer(out, static_cast<std::int16_t>(record.topic.size()));
  } else {
    append_integer(out, static_cast<std::int8_t>(record.topic.size()));
  }
  append_text(out, record.topic);
  append_integer(out, static_cast<std::int16_t>(properties));
  append_text(out, record.properties);
  append_text(out, record.more_properties);
  return size;
}

void patch_record(MutableByteView record, QueueOffset queue_offset, PhysicalOffset physical_offset,
                  std::int64_t store_timestamp_ms) {
  RMQ_ASSERT(record.size() >= kRecordBytesMin);
  store_big_endian(record.data() + kRecordQueueOffsetAt, queue_offset.value);
  store_big_endian(record.data() + kRecordPhysicalOffsetAt, physical_offset.value);
  const auto sys_flag = load_big_endian<std::int32_t>(record.data() + kRecordSysFlagAt);
  store_big_endian(record.data() + record_store_timestamp_at(sys_flag), store_timestamp_ms);
}

std::array<std::byte, kBlankRecordBytes> encode_blank_record(std::int32_t bytes_left) {
  std::array<std::byte, kBlankRecordBytes> blank;
  store_big_endian(blank.data() + kRecordSizeAt, bytes_left);
  store_big_endian(blank.data() + kRecordMagicAt, kMagicBlank);
  return blank;
}

Result<MessageRecord> decode_record(ByteView bytes, CheckBody check) {
  if (bytes.size() < kBlankRecordBytes) {
    return fail_size(RecordErrc::Truncated, "bytes at hand",
                     static_cast<std::int64_t>(bytes.size()));
  }
  const auto size = load_big_endian<std::int32_t>(bytes.data() + kRecordSizeAt);
  const auto magic = load_big_endian<std::uint32_t>(bytes.data() + kRecordMagicAt);
  if (size == 0 && magic == 0) return fail(RecordErrc::Unwritten);
  if (magic != kMagicV1 && magic != kMagicV2) {
    return fail_size(RecordErrc::MagicUnknown, "magic", magic);
  }
  if (size < static_cast<std::int32_t>(kRecordBytesMin)) {
    return fail_size(RecordErrc::SizeIllegal, "record size", size);
  }
  if (static_cast<std::size_t>(size) > bytes.size()) {
    return fail_size(RecordErrc::Truncated, "record size", size);
  }
  RMQ_TRY(MessageRecord record,
          parse_record(bytes.first(static_cast<std::size_t>(size)), magic == kMagicV2));
  // Java checks a body's CRC only if there is a body, and so accepts any CRC beside an empty one.
  if (check == CheckBody::Yes && !record.body.empty() && body_crc(record.body) != record.body_crc) {
    return fail_size(RecordErrc::ChecksumMismatch, "body crc", record.body_crc);
  }
  return record;
}

Result<RecordScan> scan_record(ByteView at, PhysicalOffset expected, CheckBody check) {
  if (at.size() >= kBlankRecordBytes &&
      load_big_endian<std::uint32_t>(at.data() + kRecordMagicAt) == kMagicBlank) {
    const auto left = load_big_endian<std::int32_t>(at.data() + kRecordSizeAt);
    if (left < static_cast<std::int32_t>(kBlankRecordBytes)) {
      return fail_size(RecordErrc::SizeIllegal, "blank record size", left);
    }
    if (static_cast<std::size_t>(left) > at.size()) {
      return fail_size(RecordErrc::Truncated, "blank record size", left);
    }
    return RecordScan{RecordScan::Kind::Blank, static_cast<std::size_t>(left), {}};
  }
  RMQ_TRY(MessageRecord record, decode_record(at, check));
  if (record.physical_offset != expected) {
    return fail_size(RecordErrc::OffsetMismatch, "record names", record.physical_offset.value);
  }
  return RecordScan{RecordScan::Kind::Record, record.total_bytes, record};
}

}  // namespace rmq::protocol
