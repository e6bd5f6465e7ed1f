#include "storage/dispatch_entry.h"

#include <charconv>

#include "base/java_compat.h"
#include "protocol/properties.h"
#include "storage/consume_queue_set.h"
#include "storage/placeholder.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

std::int64_t to_integer(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

bool is_directory_name(std::string_view topic) {
  return !topic.empty() && topic != "." && topic != ".." &&
         topic.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

bool has_queue_entry(const protocol::MessageRecord& record) {
  const std::int32_t type = record.transaction_type();
  return type != protocol::kSysFlagTransactionPrepared &&
         type != protocol::kSysFlagTransactionRollback;
}

std::int64_t tag_code_of(const protocol::MessageRecord& record, const DelayLevels& delays) {
  if (is_placeholder(record)) return kDamagedTagCode;
  if (record.topic == kScheduleTopic) {
    const auto level_text =
        protocol::find_property(record.properties, protocol::property::kDelayTimeLevel);
    const std::int64_t level = to_integer(level_text.value_or(""));
    if (level > 0) return record.store_timestamp_ms + delays.delay(delays.clamp(level)).count();
  }
  const auto tags = protocol::find_property(record.properties, protocol::property::kTags);
  return tags ? java_hash(*tags) : 0;
}

Result<DispatchEntry> EntryMaker::make(const protocol::MessageRecord& record) const {
  DispatchEntry entry;
  entry.physical = record.physical_offset;
  entry.size = static_cast<std::int32_t>(record.total_bytes);
  entry.store_timestamp_ms = record.store_timestamp_ms;
  if (!has_queue_entry(record)) return entry;
  if (!is_directory_name(record.topic)) {
    return fail(StoreErrc::RecordMalformed,
                "topic of the record at " + std::to_string(record.physical_offset.value));
  }
  entry.queue = &queues_.get(record.topic, record.queue_id);
  entry.queue_offset = record.queue_offset;
  entry.tag_code = tag_code_of(record, delays_);
  return entry;
}

}  // namespace rmq::storage
