#include "storage/placeholder.h"

#include <string>

#include "protocol/properties.h"
#include "storage/delay_levels.h"

namespace rmq::storage {
namespace {

// Java's delivery of delayed messages gives up one that is for this topic, and only that.
constexpr std::string_view kTopicGivenUp = "RMQ_SYS_TRANS_HALF_TOPIC";

std::string properties_within(std::string_view topic, std::size_t room) {
  std::string properties;
  const auto add = [&](std::string_view name, std::string_view value) {
    // A separator behind each of the two.
    if (properties.size() + name.size() + value.size() + 2 > room) return;
    protocol::append_property(properties, name, value);
  };
  if (topic == kScheduleTopic) {
    add(protocol::property::kRealTopic, kTopicGivenUp);
    add(protocol::property::kRealQueueId, "0");
  }
  add(kDamagedProperty, "1");
  return properties;
}

}  // namespace

std::size_t placeholder_bytes_min(std::string_view topic) {
  return protocol::kRecordBytesMin + topic.size() +
         (topic.size() > protocol::kTopicBytesMaxV1 ? 1 : 0);
}

Bytes encode_placeholder(const Placeholder& placeholder, std::size_t size) {
  const std::size_t least = placeholder_bytes_min(placeholder.topic);
  RMQ_ASSERT(size >= least && size <= protocol::kRecordBytesMax);
  const std::string properties = properties_within(placeholder.topic, size - least);
  const Bytes body(size - least - properties.size());
  protocol::MessageRecord record;
  record.topic = placeholder.topic;
  record.queue_id = placeholder.queue_id;
  record.queue_offset = placeholder.queue_offset;
  record.physical_offset = placeholder.physical;
  record.sys_flag = placeholder.filler ? protocol::kSysFlagTransactionRollback : 0;
  record.born_timestamp_ms = placeholder.store_timestamp_ms;
  record.store_timestamp_ms = placeholder.store_timestamp_ms;
  record.prepared_transaction_offset = kPlaceholderMark;
  record.body = body;
  record.properties = properties;
  Bytes bytes;
  bytes.reserve(size);
  const std::size_t written = protocol::encode_record(record, bytes);
  RMQ_ASSERT(written == size);
  return bytes;
}

}  // namespace rmq::storage
