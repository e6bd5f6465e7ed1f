#include "storage/dispatch_entry.h"

#include <algorithm>
#include <charconv>

#include "base/java_compat.h"
#include "protocol/properties.h"
#include "storage/consume_queue_set.h"
#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";
constexpr std::int64_t kUnknownLevelMs = 1000;  // ScheduleMessageService.computeDeliverTimestamp

std::int64_t parse_delay_ms(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop + 1 != text.data() + text.size()) return 0;
  switch (*stop) {
    case 's':
      return number * 1000;
    case 'm':
      return number * 60 * 1000;
    case 'h':
      return number * 60 * 60 * 1000;
    case 'd':
      return number * 24 * 60 * 60 * 1000;
    default:
      return 0;
  }
}

bool is_directory_name(std::string_view topic) {
  return !topic.empty() && topic != "." && topic != ".." &&
         topic.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

std::int64_t to_integer(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

EntryMaker::EntryMaker(ConsumeQueueSet& queues, std::string_view delay_levels) : queues_(queues) {
  while (!delay_levels.empty()) {
    const std::size_t space = std::min(delay_levels.find(' '), delay_levels.size());
    if (space > 0) delays_ms_.push_back(parse_delay_ms(delay_levels.substr(0, space)));
    delay_levels.remove_prefix(std::min(space + 1, delay_levels.size()));
  }
}

std::int64_t EntryMaker::tag_code_of(const protocol::MessageRecord& record) const {
  if (record.topic == kScheduleTopic) {
    const auto level_text =
        protocol::find_property(record.properties, protocol::property::kDelayTimeLevel);
    const std::int64_t level =
        std::min(to_integer(level_text.value_or("")), static_cast<std::int64_t>(delays_ms_.size()));
    if (level > 0) {
      const std::int64_t delay = delays_ms_[static_cast<std::size_t>(level - 1)];
      return record.store_timestamp_ms + (delay > 0 ? delay : kUnknownLevelMs);
    }
  }
  const auto tags = protocol::find_property(record.properties, protocol::property::kTags);
  return tags ? java_hash(*tags) : 0;
}

Result<DispatchEntry> EntryMaker::make(const protocol::MessageRecord& record) const {
  DispatchEntry entry;
  entry.physical = record.physical_offset;
  entry.size = static_cast<std::int32_t>(record.total_bytes);
  entry.store_timestamp_ms = record.store_timestamp_ms;
  const std::int32_t type = record.transaction_type();
  if (type == protocol::kSysFlagTransactionPrepared ||
      type == protocol::kSysFlagTransactionRollback) {
    return entry;
  }
  if (!is_directory_name(record.topic)) {
    return fail(StoreErrc::RecordMalformed,
                "topic of the record at " + std::to_string(record.physical_offset.value));
  }
  entry.queue = &queues_.get(record.topic, record.queue_id);
  entry.queue_offset = record.queue_offset;
  entry.tag_code = tag_code_of(record);
  return entry;
}

}  // namespace rmq::storage
